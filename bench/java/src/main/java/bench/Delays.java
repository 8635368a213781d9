package bench;

import com.amazonaws.services.lambda.runtime.api.client.runtimeapi.dto.InvocationRequest;
import java.util.StringJoiner;

/**
 * Microseconds beyond the delay, of the agent's and of {@link Thread#sleep}, in turns; JSON on standard error, records go to
 * the log.
 *
 * <p>Arguments: milliseconds, times.
 */
public final class Delays {
    private Delays() {}

    public static void main(String[] arguments) throws Exception {
        long delay = Long.parseLong(arguments[0]);
        int times = Integer.parseInt(arguments[1]);
        Caller caller = Calls.caller(new Sample());
        StringJoiner injected = new StringJoiner(",");
        StringJoiner own = new StringJoiner(",");
        for (int number = 0; number < times; number++) {
            InvocationRequest request = Calls.request(String.format("8f5c7d1e-7b61-11e6-9a41-%012x", number));
            long begun = System.nanoTime();
            caller.call(request);
            injected.add(beyond(begun, delay));
            begun = System.nanoTime();
            Thread.sleep(delay);
            own.add(beyond(begun, delay));
        }
        System.err.println("{\"injected\": [" + injected + "], \"the language's own\": [" + own + "]}");
    }

    private static String beyond(long begun, long delay) {
        return Double.toString((System.nanoTime() - begun) / 1e3 - delay * 1e3);
    }
}
