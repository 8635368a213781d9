package shapes;

/** Error classes that no message can make. */
public class Awkward extends Exception {
    private static final long serialVersionUID = 1L;

    public Awkward(int code) {
        super("code " + code);
    }

    /** Throws instead. */
    public static class Refusing extends Exception {
        private static final long serialVersionUID = 1L;

        public Refusing(String message) {
            throw new IllegalStateException("no");
        }
    }

    /** Cannot be made. */
    public abstract static class Abstract extends Exception {
        private static final long serialVersionUID = 1L;

        public Abstract(String message) {
            super(message);
        }
    }
}
