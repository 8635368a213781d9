package dev.faultlayer.agent;

import java.lang.instrument.Instrumentation;

/**
 * Where the JVM enters. Where the JVM runs the client, all is done at once: while a transformer is there the JVM hands it
 * a copy of every class it loads. Otherwise a transformer waits for the client, and nothing else happens: a JVM which
 * the function's own code starts, and which inherits the option, runs as ever.
 */
public final class Agent {
    private static boolean entered;

    private Agent() {}

    /** Never throws: that would end the JVM. */
    public static synchronized void premain(String options, Instrumentation instrumentation) {
        if (entered) {
            return;
        }
        entered = true;
        try {
            String main = mainClass();
            if (ClientTransformer.isMain(main)) {
                ClientTransformer.install(instrumentation, main);
            } else {
                instrumentation.addTransformer(new ClientTransformer(instrumentation));
            }
        } catch (Throwable trouble) {
            Hook.trouble("the agent could not start", trouble);
        }
    }

    /** The class that the JVM was started with; empty where the launcher does not say. */
    private static String mainClass() {
        String command = System.getProperty("sun.java.command", "");
        int end = command.indexOf(' ');
        return end < 0 ? command : command.substring(0, end);
    }
}
