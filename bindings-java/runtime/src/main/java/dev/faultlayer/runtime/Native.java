package dev.faultlayer.runtime;

/**
 * The native methods, and nothing else. Handles are addresses: a host lives until {@link #free}, a session until
 * {@link #end}; neither may be used after that. No method throws for an engine's own trouble: what fails there answers
 * as if nothing had been drawn, except {@link #library} and {@link #replace}, which report the plan's problems.
 */
public final class Native {
    /** Bit of {@link #reads}: some pattern looks at the event. */
    public static final int READS_EVENT = 1;

    /** Bit of {@link #reads}: some pattern looks at the client context. */
    public static final int READS_CLIENT_CONTEXT = 2;

    private Native() {}

    /** The layer's host from this process's environment; 0 if nothing can ever fire. */
    public static native long layer();

    /**
     * A library's host.
     *
     * @param plan the plan as JSON
     * @param identity name, version, memory in MiB and runtime of the function; each, or the array, may be null
     * @return {@code {handle}}, or {@code {null, refusal as JSON}} for a plan that does not hold
     */
    public static native String[] library(String plan, String[] identity);

    /** Swaps the plan under running invocations; the refusal as JSON, or null. */
    public static native String replace(long host, String plan);

    /** Ends a host. */
    public static native void free(long host);

    /** What {@link #decide} needs to be given: {@link #READS_EVENT}, {@link #READS_CLIENT_CONTEXT}. */
    public static native int reads(long host);

    /**
     * Decides one invocation.
     *
     * @param deadlineMs epoch milliseconds, or {@link Long#MIN_VALUE} for none
     * @param arn the invoked ARN or null
     * @param clientContext its JSON or null
     * @param event raw JSON or null
     * @param nowUs epoch microseconds, or {@link Long#MIN_VALUE} for the clock
     * @return a session, or 0 if nothing is drawn
     */
    public static native long decide(
            long host, String requestId, long deadlineMs, String arn, String clientContext, byte[] event, long nowUs);

    /** What comes before the handler; see {@link Step} for the form. */
    public static native String[] before(long session);

    /** Whether {@link #returned} needs the answer. */
    public static native boolean wantsText(long session);

    /** What comes after a handler that returned; {@code answer} is its JSON, needed only if {@link #wantsText}. */
    public static native String[] returned(long session, byte[] answer, long nowUs);

    /** What comes after a handler that threw. */
    public static native String[] failed(long session, long nowUs);

    /** Ends a session and its resource effects. */
    public static native void end(long session);
}
