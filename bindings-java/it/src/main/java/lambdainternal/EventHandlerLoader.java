package lambdainternal;

import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;

/** Wraps the handler in an anonymous class, as the real clients do; its method has more around the call than theirs. */
final class EventHandlerLoader {
    private EventHandlerLoader() {}

    static LambdaRequestHandler wrapRequestStreamHandler(RequestStreamHandler handler) {
        return new LambdaRequestHandler() {
            private final ThreadLocal<ByteArrayOutputStream> buffers =
                    ThreadLocal.withInitial(() -> new ByteArrayOutputStream(1024));
            private int calls;

            @Override
            public ByteArrayOutputStream call(InvokeRequest request) throws Exception {
                long started = System.nanoTime();
                double ratio = 0.5;
                ByteArrayOutputStream answer = buffers.get();
                answer.reset();
                Object last = calls % 2 == 0 ? request.id : Long.valueOf(started);
                try {
                    handler.handleRequest(
                            new ByteArrayInputStream(request.content), answer, new RequestContext(request));
                } catch (IllegalStateException seen) {
                    // A handler of the method's own around the place: what is thrown there must still pass it.
                    throw new IllegalStateException("passed the client: " + seen.getMessage(), seen);
                } finally {
                    calls += last == null || ratio > 1 ? 2 : 1;
                }
                if (System.nanoTime() < started) {
                    return null;
                }
                return answer;
            }
        };
    }
}
