package lambdainternal;

/** The way in of the older client: its main class is not the one that the JVM is started with. */
public final class LambdaRTEntry {
    private LambdaRTEntry() {}

    public static void main(String[] arguments) throws Exception {
        AWSLambda.main(arguments);
    }
}
