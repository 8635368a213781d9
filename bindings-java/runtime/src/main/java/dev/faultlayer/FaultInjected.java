package dev.faultlayer;

/**
 * What Faultlayer throws where a plan names no class of the language's own: a timeout that has been held, or an
 * {@code error} whose class is not there, is no exception, or takes no single message (then the message is
 * {@code NAME: MESSAGE}).
 */
public class FaultInjected extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** @param message what the caller sees as {@code errorMessage} */
    public FaultInjected(String message) {
        super(message);
    }
}
