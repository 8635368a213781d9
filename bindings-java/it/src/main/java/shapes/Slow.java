package shapes;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import java.io.InputStream;
import java.io.OutputStream;

/** Takes a little while, so that concurrent invocations overlap; answers with its request id. */
public class Slow implements RequestStreamHandler {
    @Override
    public void handleRequest(InputStream in, OutputStream out, Context context) throws java.io.IOException {
        java.util.concurrent.locks.LockSupport.parkNanos(2_000_000);
        out.write(('"' + context.getAwsRequestId() + '"').getBytes(java.nio.charset.StandardCharsets.US_ASCII));
    }
}
