package bench;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import software.amazon.awssdk.auth.credentials.AnonymousCredentialsProvider;
import software.amazon.awssdk.http.ExecutableHttpRequest;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;

/** A function that has used a client of version 2 of the SDK by its first invocation, as one does that reads what it needs. */
public final class WithSdk implements RequestHandler<Object, Object> {
    private final DynamoDbClient client = DynamoDbClient.builder()
            .region(Region.EU_WEST_1)
            .credentialsProvider(AnonymousCredentialsProvider.create())
            .httpClient(new Silent())
            .build();

    /** Loads all that a call needs. */
    public WithSdk() {
        try {
            client.listTables();
        } catch (IllegalArgumentException nothingWasSent) {
            return;
        }
        throw new IllegalStateException("it was answered");
    }

    @Override
    public Object handleRequest(Object event, Context context) {
        return client.serviceName();
    }

    /** Sends nothing. */
    private static final class Silent implements SdkHttpClient {
        @Override
        public ExecutableHttpRequest prepareRequest(HttpExecuteRequest asked) {
            throw new IllegalArgumentException("nothing is sent");
        }

        @Override
        public void close() {}
    }
}
