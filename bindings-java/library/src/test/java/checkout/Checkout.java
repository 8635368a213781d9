package checkout;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;

/** A function under test: takes an order, answers with a receipt. */
public class Checkout implements RequestHandler<Checkout.Order, Checkout.Receipt> {
    int calls;

    @Override
    public Receipt handleRequest(Order order, Context context) {
        calls++;
        if (order.getItem() == null) {
            throw new IllegalArgumentException("an order has an item");
        }
        Receipt receipt = new Receipt();
        receipt.setStatusCode(200);
        receipt.setBody("one " + order.getItem());
        return receipt;
    }

    public static class Order {
        private String item;

        public String getItem() {
            return item;
        }

        public void setItem(String item) {
            this.item = item;
        }
    }

    public static class Receipt {
        private int statusCode;
        private String body;

        public int getStatusCode() {
            return statusCode;
        }

        public void setStatusCode(int statusCode) {
            this.statusCode = statusCode;
        }

        public String getBody() {
            return body;
        }

        public void setBody(String body) {
            this.body = body;
        }
    }
}
