package lambdainternal;

/** An invocation as the stand-in's loop hands it on. */
final class InvokeRequest {
    final String id;
    final long deadlineMs;
    final String arn;
    final byte[] content;

    InvokeRequest(String id, long deadlineMs, String arn, byte[] content) {
        this.id = id;
        this.deadlineMs = deadlineMs;
        this.arn = arn;
        this.content = content;
    }
}
