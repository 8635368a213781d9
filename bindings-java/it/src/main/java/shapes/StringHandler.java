package shapes;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;

public class StringHandler implements RequestHandler<String, String> {
    @Override
    public String handleRequest(String event, Context context) {
        Work.maybeFail(event);
        return "heard: " + event + " \u00e9\ud83d\ude00 \"quoted\"\n";
    }
}
