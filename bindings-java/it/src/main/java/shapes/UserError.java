package shapes;

/** An error of the function's own: checked, and not visible outside its package. */
class UserError extends Exception {
    private static final long serialVersionUID = 1L;

    UserError(String message) {
        super(message);
    }
}
