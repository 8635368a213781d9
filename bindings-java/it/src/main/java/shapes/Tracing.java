package shapes;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import java.io.InputStream;
import java.io.OutputStream;

/** Answers with the stack it sees, one class and method a line. */
public class Tracing implements RequestStreamHandler {
    @Override
    public void handleRequest(InputStream in, OutputStream out, Context context) throws java.io.IOException {
        StringBuilder seen = new StringBuilder("\"");
        for (StackTraceElement frame : new Throwable().getStackTrace()) {
            seen.append(frame.getClassName())
                    .append('.')
                    .append(frame.getMethodName())
                    .append("\\n");
        }
        out.write(seen.append('"').toString().getBytes(java.nio.charset.StandardCharsets.US_ASCII));
    }
}
