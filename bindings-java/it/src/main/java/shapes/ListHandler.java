package shapes;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import java.util.ArrayList;
import java.util.List;

public class ListHandler implements RequestHandler<List<Object>, List<Object>> {
    @Override
    public List<Object> handleRequest(List<Object> event, Context context) {
        Work.maybeFail(event);
        List<Object> answer = new ArrayList<>(event);
        answer.add("end");
        return answer;
    }
}
