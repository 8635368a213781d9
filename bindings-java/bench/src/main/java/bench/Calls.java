package bench;

import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import com.amazonaws.services.lambda.runtime.api.client.runtimeapi.dto.InvocationRequest;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.lang.reflect.Method;

/** Calls the runtime client's own handler in a loop, as its loop does, and prints the best time of a call in nanoseconds. */
public final class Calls {
    private static final int ROUNDS = 25;
    private static final int CALLS = 100_000;

    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private Calls() {}

    public static void main(String[] arguments) throws Exception {
        // The client's main class: where it is loaded, the agent starts.
        Class.forName("com.amazonaws.services.lambda.runtime.api.client.AWSLambda", false, Calls.class.getClassLoader());
        Class<?> loader = Class.forName("com.amazonaws.services.lambda.runtime.api.client.EventHandlerLoader");
        Method wrap = loader.getDeclaredMethod("wrapRequestStreamHandler", RequestStreamHandler.class);
        wrap.setAccessible(true);
        Caller caller = Caller.of(wrap.invoke(null, new Sample()));
        InvocationRequest request = new InvocationRequest();
        request.setId("8f5c7d1e-0000-4000-8000-000000000000");
        request.setInvokedFunctionArn("arn:aws:lambda:eu-west-1:123456789012:function:shop:live");
        request.setDeadlineTimeInMs(System.currentTimeMillis() + 600_000);
        request.setContent("{\"order\":{\"id\":\"a-1\",\"items\":[{\"sku\":\"A-7\",\"n\":2}]}}".getBytes(java.nio.charset.StandardCharsets.UTF_8));
        double best = Double.MAX_VALUE;
        for (int round = 0; round < ROUNDS; round++) {
            long start = THREADS.getCurrentThreadCpuTime();
            for (int i = 0; i < CALLS; i++) {
                caller.call(request);
            }
            best = Math.min(best, (THREADS.getCurrentThreadCpuTime() - start) / (double) CALLS);
        }
        System.out.printf(java.util.Locale.ROOT, "ns %.1f%n", best);
    }
}
