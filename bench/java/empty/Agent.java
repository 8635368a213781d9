package bench.empty;

/** Does nothing: what a JVM itself takes for an agent. */
public final class Agent {
    private Agent() {}

    /** Where the JVM enters. */
    public static void premain(String options) {}
}
