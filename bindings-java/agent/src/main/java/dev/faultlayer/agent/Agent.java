package dev.faultlayer.agent;

import java.lang.instrument.Instrumentation;

/**
 * Where the JVM enters. {@code premain} only registers a transformer: nothing else happens until the runtime client
 * is loaded, so that a JVM which the function's own code starts, and which inherits the option, runs as ever.
 */
public final class Agent {
    private static boolean registered;

    private Agent() {}

    /** Never throws: that would end the JVM. */
    public static synchronized void premain(String options, Instrumentation instrumentation) {
        if (registered) {
            return;
        }
        registered = true;
        try {
            instrumentation.addTransformer(new ClientTransformer(instrumentation));
        } catch (Throwable trouble) {
            OwnRecord.trouble("internal_error", "the agent could not start", trouble);
        }
    }
}
