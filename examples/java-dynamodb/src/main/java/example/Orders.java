package example;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import java.util.Map;
import java.util.UUID;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

/** Keeps an order in DynamoDB, with the SDK's own retries; where that fails, its caller is told to come again. */
public class Orders implements RequestHandler<Map<String, Object>, Map<String, Object>> {
    private static final int ATTEMPTS = Integer.parseInt(System.getenv().getOrDefault("ATTEMPTS", "3"));

    private final DynamoDbClient dynamodb = DynamoDbClient.builder()
            .overrideConfiguration(options -> options.retryStrategy(retries -> retries.maxAttempts(ATTEMPTS)))
            .build();

    @Override
    public Map<String, Object> handleRequest(Map<String, Object> event, Context context) {
        AttributeValue id = AttributeValue.fromS(UUID.randomUUID().toString());
        try {
            dynamodb.putItem(put -> put.tableName("orders").item(Map.of("id", id)));
        } catch (AwsServiceException error) {
            return Map.of(
                    "statusCode", 503, "body", error.awsErrorDetails().errorCode());
        }
        return Map.of("statusCode", 201, "body", "kept");
    }
}
