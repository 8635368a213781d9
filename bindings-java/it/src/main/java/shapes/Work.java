package shapes;

/** What the functions do when they are told to; here so that every shape can do the same. */
final class Work {
    private Work() {}

    /** A text with this in it asks the handler for an error of its own. */
    static final String FAIL = "please fail";

    static void maybeFail(Object event) {
        if (String.valueOf(event).contains(FAIL)) {
            throw new Refused("refused by the handler");
        }
    }

    /** The handler's own error. */
    static final class Refused extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Refused(String message) {
            super(message);
        }
    }
}
