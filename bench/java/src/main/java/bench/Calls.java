package bench;

import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import com.amazonaws.services.lambda.runtime.api.client.runtimeapi.dto.InvocationRequest;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * Calls the runtime client's own handler in a loop, as its loop does.
 *
 * <p>Without arguments it prints the best time of a call in nanoseconds. With a number it makes as many calls, after as many
 * to begin with, between two calls of {@code getppid}: the marks by which {@code instructions/count.py} parts its counts.
 */
public final class Calls {
    private static final int ROUNDS = 25;
    private static final int CALLS = 100_000;
    private static final String EVENT = "{\"order\":{\"id\":\"a-1\",\"items\":[{\"sku\":\"A-7\",\"n\":2}]}}";

    private Calls() {}

    public static void main(String[] arguments) throws Exception {
        Caller caller = caller(new Sample());
        InvocationRequest request = request("8f5c7d1e-7b61-11e6-9a41-93e8deadbeef");
        if (arguments.length > 0) {
            marked(caller, request, Integer.parseInt(arguments[0]));
        } else {
            timed(caller, request);
        }
    }

    /** Loads the client's main class: where that is done, the agent starts. */
    static void begin() throws ClassNotFoundException {
        Class.forName("com.amazonaws.services.lambda.runtime.api.client.AWSLambda", false, Calls.class.getClassLoader());
    }

    /** The client's own handler around this one. */
    static Caller caller(RequestStreamHandler handler) throws Exception {
        begin();
        Class<?> loader = Class.forName("com.amazonaws.services.lambda.runtime.api.client.EventHandlerLoader");
        Method wrap = loader.getDeclaredMethod("wrapRequestStreamHandler", RequestStreamHandler.class);
        wrap.setAccessible(true);
        return Caller.of(wrap.invoke(null, handler));
    }

    static InvocationRequest request(String id) {
        InvocationRequest request = new InvocationRequest();
        request.setId(id);
        request.setInvokedFunctionArn("arn:aws:lambda:eu-west-1:123456789012:function:shop:live");
        request.setDeadlineTimeInMs(System.currentTimeMillis() + 600_000);
        request.setContent(EVENT.getBytes(StandardCharsets.UTF_8));
        return request;
    }

    private static void timed(Caller caller, InvocationRequest request) throws Exception {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        double best = Double.MAX_VALUE;
        for (int round = 0; round < ROUNDS; round++) {
            long start = threads.getCurrentThreadCpuTime();
            calls(caller, request, CALLS);
            best = Math.min(best, (threads.getCurrentThreadCpuTime() - start) / (double) CALLS);
        }
        System.out.printf(Locale.ROOT, "ns %.1f%n", best);
    }

    private static void marked(Caller caller, InvocationRequest request, int calls) throws Exception {
        System.out.println("[\"first calls\", \"warm call\"]");
        mark();
        calls(caller, request, calls);
        mark();
        calls(caller, request, calls);
        mark();
    }

    private static void mark() {
        ProcessHandle.current().parent();
    }

    private static void calls(Caller caller, InvocationRequest request, int calls) throws Exception {
        for (int i = 0; i < calls; i++) {
            caller.call(request);
        }
    }
}
