package shapes;

import com.amazonaws.services.lambda.runtime.Context;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Map;

/** Methods that implement nothing. */
public class Plain {
    public Map<String, Object> instance(Map<String, Object> event) {
        Work.maybeFail(event);
        return Map.of("body", "instance");
    }

    public String withContext(Order order, Context context) {
        Work.maybeFail(order.getId());
        return order.getId() + " for " + context.getAwsRequestId();
    }

    public static String fixed(String event) {
        Work.maybeFail(event);
        return event.toUpperCase(java.util.Locale.ROOT);
    }

    public static int fixedWithContext(int event, Context context) {
        if (event < 0) {
            Work.maybeFail(Work.FAIL);
        }
        return event + context.getAwsRequestId().length();
    }

    public void streams(InputStream in, OutputStream out) throws IOException {
        byte[] event = in.readAllBytes();
        Work.maybeFail(new String(event, java.nio.charset.StandardCharsets.UTF_8));
        out.write(event);
    }

    public void nothing(Map<String, Object> event) {
        Work.maybeFail(event);
    }
}
