package shapes;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

public class StreamHandler implements RequestStreamHandler {
    @Override
    public void handleRequest(InputStream in, OutputStream out, Context context) throws IOException {
        String event = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        Work.maybeFail(event);
        // Odd white space and number forms, which a parser would not keep.
        out.write(("{ \"statusCode\" : 2.0e2,\"body\":\"stream \\u0041\", \"event\":" + event + " }\n")
                .getBytes(StandardCharsets.UTF_8));
    }
}
