package dev.faultlayer.runtime;

/**
 * One answer of the engine: hold {@link #delayUs}, then do {@link #outcome}. It comes as strings, {@code {outcome,
 * delay_us, first, second, record...}}, so that neither side needs the other's objects.
 */
public final class Step {
    public static final int RUN = 0;
    public static final int ERROR = 1;
    public static final int RESPONSE = 2;
    public static final int EXIT = 3;
    public static final int TIMEOUT = 4;
    public static final int CORRUPT = 5;

    private static final int HEAD = 4;

    /** One of the constants. */
    public final int outcome;

    /** Microseconds. */
    public final long delayUs;

    /** The class of an error, the answer of a response or of a corruption (JSON), the code of an exit, the microseconds of a timeout. */
    public final String first;

    /** The message of an error or of a timeout. */
    public final String second;

    private final String[] parts;

    private Step(int outcome, long delayUs, String first, String second, String[] parts) {
        this.parts = parts;
        this.outcome = outcome;
        this.delayUs = delayUs;
        this.first = first;
        this.second = second;
    }

    /** Reads the native form. */
    public static Step of(String[] parts) {
        return new Step(Integer.parseInt(parts[0]), Long.parseLong(parts[1]), parts[2], parts[3], parts);
    }

    /** How many record lines came with it; none in a layer, where the engine writes them. */
    public int records() {
        return parts.length - HEAD;
    }

    /** A record line without its newline. */
    public String record(int index) {
        return parts[HEAD + index];
    }

    /** The number that an exit or a timeout carries. */
    public long number() {
        return Long.parseLong(first);
    }
}
