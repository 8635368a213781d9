package lambdainternal;

/** A client that serves its invocations on a virtual thread, where the JVM has them. */
public final class Virtual {
    private Virtual() {}

    public static void main(String[] arguments) throws Exception {
        Runnable serving = () -> {
            try {
                AWSLambda.main(arguments);
            } catch (Exception ended) {
                throw new IllegalStateException(ended);
            }
        };
        ((Thread) Thread.class.getMethod("startVirtualThread", Runnable.class).invoke(null, serving)).join();
    }
}
