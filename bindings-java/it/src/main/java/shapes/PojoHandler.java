package shapes;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;

public class PojoHandler implements RequestHandler<Order, Order> {
    @Override
    public Order handleRequest(Order order, Context context) {
        Work.maybeFail(order.getId());
        order.setCount(order.getCount() + 1);
        return order;
    }
}
