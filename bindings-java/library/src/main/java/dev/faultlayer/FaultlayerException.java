package dev.faultlayer;

/** Faultlayer cannot do what it was asked to. Not a fault: faults are what a plan says. */
public class FaultlayerException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String code;
    private final String path;

    FaultlayerException(String code, String path, String message, Throwable cause) {
        super(message, cause);
        this.code = code;
        this.path = path;
    }

    /**
     * What is wrong, stable from release to release: {@code plan_invalid}, {@code plan_unreadable}, {@code
     * plan_without_expiry}, {@code no_chance}, {@code native_missing}, {@code answer_type}, {@code internal_error}.
     */
    public String code() {
        return code;
    }

    /** The plan's field, as in {@code faults[0].rate}; empty if it is no single one. */
    public String path() {
        return path;
    }
}
