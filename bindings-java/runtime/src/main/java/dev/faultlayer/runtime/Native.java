package dev.faultlayer.runtime;

/**
 * The native methods, and nothing else. Handles are addresses: a host lives until {@link #free}, a session until
 * {@link #end}; neither may be used after that. No method throws for an engine's own trouble. A layer's answers then as if
 * nothing had been drawn, and has written a record; a library's answers {@link #FAILED} or null.
 */
public final class Native {
    /** Bit of {@link #reads}: some pattern looks at the event. */
    public static final int READS_EVENT = 1;

    /** Bit of {@link #reads}: some pattern looks at the client context. */
    public static final int READS_CLIENT_CONTEXT = 2;

    /** Bit of {@link #reads}: some fault samples by attempt. */
    public static final int READS_DEADLINE = 4;

    /** Bit of {@link #reads}: some pattern looks at the context, which the ARN's alias is part of. */
    public static final int READS_ARN = 8;

    /** What stands for a number that is not told. */
    public static final long ABSENT = Long.MIN_VALUE;

    /** What {@link #decide} answers where a library's engine failed. */
    public static final long FAILED = -1;

    /** What {@link #decide} answers where another plan has come that reads more than was told. */
    public static final long STALE = -2;

    private Native() {}

    /** The layer's host from this process's environment; 0 if nothing can ever fire. */
    public static native long layer();

    /** The end of init: waits a little for a layer's first plan, where it comes from elsewhere. */
    public static native void settle(long host);

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

    /**
     * What {@link #decide} needs to be given: {@link #READS_EVENT}, {@link #READS_CLIENT_CONTEXT}, {@link #READS_DEADLINE},
     * {@link #READS_ARN}.
     */
    public static native int reads(long host);

    /** The ids of the plan's faults that never had a chance to fire, each followed by why; null where the engine failed. */
    public static native String[] noChance(long host);

    /** Writes Faultlayer's own record, once a layer's host: of a client that is not known, else of trouble on this side. */
    public static native void report(long host, boolean ofClient, String message);

    /**
     * How often the time left is asked for at most, until the clock stands still around the question; then the last answer
     * counts.
     */
    public static native int deadlineTries();

    /**
     * Whether nothing is drawn for an invocation, as its id alone tells of most. Else {@link #decide} tells.
     *
     * @param length the id's
     */
    public static native boolean isQuiet(long host, String requestId, int length);

    /** Whether {@link #isQuiet} can be true of any invocation, and is worth asking. */
    public static native boolean idTells(long host);

    /**
     * Decides one invocation.
     *
     * @param deadlineMs epoch milliseconds, or {@link #ABSENT}
     * @param arn the invoked ARN or null
     * @param clientContext its JSON or null
     * @param event raw JSON as a {@code byte[]}, or as a {@code ByteArrayInputStream} of which nothing is taken; or null
     * @param nowUs epoch microseconds, or {@link #ABSENT} for the clock
     * @param reads what {@link #reads} answered when this was gathered
     * @return a session, 0 if nothing is drawn, {@link #STALE} where it reads more by now, or {@link #FAILED}
     */
    public static native long decide(
            long host,
            String requestId,
            long deadlineMs,
            String arn,
            String clientContext,
            Object event,
            long nowUs,
            int reads);

    /**
     * What comes before the handler; see {@link Step} for the form.
     *
     * @param deadlineMs epoch milliseconds, where {@link #decide} was not told it, or {@link #ABSENT}
     */
    public static native String[] before(long session, long deadlineMs);

    /** Whether the plan in force has faults in calls to AWS: without any, nobody need look at them. */
    public static native boolean hitsCalls(long host);

    /**
     * Of a handler that is about to run: the number by which its calls ask {@link #met}, until {@link #end}; no later one has
     * it again. 0 where no fault waits for calls.
     */
    public static native long calls(long session);

    /**
     * Asks for one attempt of a call.
     *
     * @param told a line for each of method, URL, the headers authorization, x-amz-target, content-type and amz-sdk-request,
     *     and the operation; what is not known is empty
     * @param body of a form, where the operation is not told; or null
     * @return null where the call goes out at once; else big-endian: eight bytes of microseconds to hold it, two of the status
     *     that stands instead of AWS's answer or 0 for none, then two of how many strings follow, each after two of its length,
     *     which are the headers' names and values in turn, and the body
     */
    public static native byte[] met(long calls, byte[] told, byte[] body, long nowUs);

    /**
     * Which signed calls can be hit, in pairs: what the credential scope ends with, as in {@code /dynamodb/aws4_request}, and the
     * operation, empty where each is one. For a call whose authorization begins with {@code AWS4-}, and that no pair has both
     * before its first comma and as its operation, nobody need ask. Null where the engine cannot tell.
     */
    public static native String[] scopes(long calls);

    /** A call was made that belongs to one of several invocations, and nobody can tell to which; one of them, for its record. */
    public static native void unattributed(long calls);

    /**
     * As {@link #unattributed}, of a library's host: a call was made by a thread that its plan is not in force for. The record is
     * one of {@link #records}.
     */
    public static native void calledElsewhere(long host);

    /**
     * The record lines that a library's engine has written in this thread and that no {@link Step} has handed out, as those of
     * {@link #met}; null for none.
     */
    public static native String[] records();

    /**
     * As {@link #decide}, for code that makes calls and has no steps around it, as a library's scope has: only faults in calls
     * and connections are drawn.
     */
    public static native long decideCalls(long host, String requestId);

    /** Whether the plan in force has faults in connections, and this platform lets them. */
    public static native boolean hitsConnections(long host);

    /** A class's bytes as it is loaded, changes by other agents included; null where the JVM does not give them out. */
    public static native byte[] bytes(Class<?> loaded);

    /** Puts other bytes in a loaded class's place, from its next call on; 0, or the JVM's number for why not. */
    public static native int redefine(Class<?> loaded, byte[] bytes);

    /**
     * Runs this once when the first class of one of AWS's SDKs is there, which is before those are loaded that make calls.
     * False where the JVM does not tell.
     */
    public static native boolean atSdk(Runnable first);

    /** Defines a class in a loader. */
    public static native Class<?> define(ClassLoader loader, byte[] bytes);

    /** Whether {@link #returned} needs the answer. */
    public static native boolean wantsText(long session);

    /** What comes after a handler that returned; {@code answer} is its JSON, needed only if {@link #wantsText}. */
    public static native String[] returned(long session, byte[] answer, long nowUs);

    /** What comes after a handler that threw. */
    public static native String[] failed(long session, long nowUs);

    /** Ends a session and its resource effects. */
    public static native void end(long session);
}
