package lambdainternal;

import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URL;
import java.nio.charset.StandardCharsets;

/**
 * A stand-in for the client of the managed runtimes for Java 8 and 11, which is not published: the package and the names
 * that stack traces show, the public interfaces, the Runtime API. Serves stream handlers.
 */
public final class AWSLambda {
    private AWSLambda() {}

    public static void main(String[] arguments) throws Exception {
        RequestStreamHandler handler = (RequestStreamHandler)
                Class.forName(arguments[0]).getDeclaredConstructor().newInstance();
        LambdaRequestHandler wrapped = EventHandlerLoader.wrapRequestStreamHandler(handler);
        String base = "http://" + System.getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/";
        while (true) {
            HttpURLConnection next = (HttpURLConnection) new URL(base + "next").openConnection();
            byte[] content;
            try (InputStream in = next.getInputStream()) {
                content = in.readAllBytes();
            }
            String id = next.getHeaderField("Lambda-Runtime-Aws-Request-Id");
            InvokeRequest request = new InvokeRequest(
                    id,
                    Long.parseLong(next.getHeaderField("Lambda-Runtime-Deadline-Ms")),
                    next.getHeaderField("Lambda-Runtime-Invoked-Function-Arn"),
                    content);
            try {
                ByteArrayOutputStream answer = wrapped.call(request);
                post(base + id + "/response", answer.toByteArray());
            } catch (Throwable thrown) {
                StringBuilder error = new StringBuilder();
                error.append("{\"errorType\":\"").append(thrown.getClass().getName());
                error.append("\",\"errorMessage\":\"")
                        .append(thrown.getMessage())
                        .append("\",\"stackTrace\":[");
                for (StackTraceElement frame : thrown.getStackTrace()) {
                    error.append('"')
                            .append(frame.getClassName())
                            .append('.')
                            .append(frame.getMethodName())
                            .append("\",");
                }
                post(base + id + "/error", error.append("\"end\"]}").toString().getBytes(StandardCharsets.UTF_8));
            }
        }
    }

    private static void post(String url, byte[] body) throws IOException {
        HttpURLConnection connection = (HttpURLConnection) new URL(url).openConnection();
        connection.setDoOutput(true);
        connection.setRequestMethod("POST");
        try (OutputStream out = connection.getOutputStream()) {
            out.write(body);
        }
        connection.getResponseCode();
    }
}
