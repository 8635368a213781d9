package calls;

import com.amazonaws.ClientConfiguration;
import com.amazonaws.auth.AWSStaticCredentialsProvider;
import com.amazonaws.auth.BasicAWSCredentials;
import com.amazonaws.client.builder.AwsClientBuilder.EndpointConfiguration;
import com.amazonaws.retry.PredefinedRetryPolicies;
import com.amazonaws.retry.RetryPolicy;
import com.amazonaws.services.dynamodbv2.AmazonDynamoDB;
import com.amazonaws.services.dynamodbv2.AmazonDynamoDBClientBuilder;
import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.client.builder.SdkAsyncClientBuilder;
import software.amazon.awssdk.core.client.builder.SdkSyncClientBuilder;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.apache.ApacheHttpClient;
import software.amazon.awssdk.http.apache5.Apache5HttpClient;
import software.amazon.awssdk.http.async.SdkAsyncHttpClient;
import software.amazon.awssdk.http.crt.AwsCrtAsyncHttpClient;
import software.amazon.awssdk.http.crt.AwsCrtHttpClient;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.retries.StandardRetryStrategy;
import software.amazon.awssdk.retries.api.BackoffStrategy;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.lambda.LambdaAsyncClient;
import software.amazon.awssdk.services.lambda.LambdaClient;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.sqs.SqsClient;
import software.amazon.awssdk.services.sts.StsClient;

/** Makes one call, by the client and to the service that the event names, and tells all that a caller can see of it. */
public class Handler implements RequestHandler<Map<String, Object>, Map<String, Object>> {
    private static final int ATTEMPTS = 3;
    private static final String TABLE = "orders";
    private static final URI SERVER = URI.create(System.getenv("URL"));

    /** A client's start takes longer than its calls. */
    private static final Map<String, Callable<Object>> CLIENTS = new ConcurrentHashMap<>();

    @Override
    public Map<String, Object> handleRequest(Map<String, Object> event, Context context) {
        String client = (String) event.get("client");
        String service = (String) event.get("service");
        boolean isHasty = Boolean.TRUE.equals(event.get("hasty"));
        boolean isImpatient = Boolean.TRUE.equals(event.get("impatient"));
        Map<String, Object> told = new LinkedHashMap<>();
        if (client.equals("none")) {
            told.put("outcome", isHooked());
            return told;
        }
        try {
            String key = client + service + isHasty + isImpatient;
            Callable<Object> call = CLIENTS.computeIfAbsent(key, each -> call(client, service, isHasty, isImpatient));
            if (Boolean.TRUE.equals(event.get("elsewhere"))) {
                Object[] answer = new Object[1];
                Thread thread = new Thread(() -> answer[0] = outcome(call));
                thread.start();
                thread.join();
                told.put("outcome", answer[0]);
            } else {
                told.put("outcome", outcome(call));
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        return told;
    }

    /** Whether something of Faultlayer's stands beside the SDK, in its class loader. */
    private static boolean isHooked() {
        ClassLoader own = DynamoDbClient.class.getClassLoader();
        try {
            DynamoDbClient.builder().region(Region.EU_WEST_1).build().close();
            return Class.forName("dev.faultlayer.agent.runtime.sdk.Site", false, own)
                            .getClassLoader()
                    == own;
        } catch (ClassNotFoundException absent) {
            return false;
        }
    }

    private static Object outcome(Callable<Object> call) {
        try {
            call.call();
            return "ok";
        } catch (Throwable error) {
            return told(error instanceof ExecutionException ? error.getCause() : error);
        }
    }

    private static Map<String, Object> told(Throwable error) {
        Map<String, Object> told = new LinkedHashMap<>();
        List<String> causes = new ArrayList<>();
        boolean isOurs = false;
        for (Throwable each = error; each != null; each = each.getCause()) {
            causes.add(each.getClass().getName());
            for (StackTraceElement frame : each.getStackTrace()) {
                isOurs |= frame.getClassName().startsWith("dev.faultlayer");
            }
        }
        told.put("classes", causes);
        told.put("text", error.getMessage());
        told.put("ours", isOurs);
        if (error instanceof AwsServiceException) {
            AwsServiceException own = (AwsServiceException) error;
            told.put("status", own.statusCode());
            told.put("code", own.awsErrorDetails().errorCode());
            told.put("message", own.awsErrorDetails().errorMessage());
            told.put("throttling", own.isThrottlingException());
            told.put("requestId", own.requestId());
            told.put("service", own.awsErrorDetails().serviceName());
        } else if (error instanceof com.amazonaws.AmazonServiceException) {
            com.amazonaws.AmazonServiceException own = (com.amazonaws.AmazonServiceException) error;
            told.put("status", own.getStatusCode());
            told.put("code", own.getErrorCode());
            told.put("message", own.getErrorMessage());
            told.put("type", String.valueOf(own.getErrorType()));
            told.put("requestId", own.getRequestId());
        }
        return told;
    }

    private static Callable<Object> call(String client, String service, boolean isHasty, boolean isImpatient) {
        Duration read = Duration.ofMillis(isHasty ? 200 : 20_000);
        switch (client) {
            case "jdbc":
                return Database.asked(isHasty);
            case "v1":
                return first(isHasty, isImpatient);
            case "netty":
                return async(
                        service,
                        NettyNioAsyncHttpClient.builder().readTimeout(read).build(),
                        isImpatient);
            case "crt-async":
                return async(service, AwsCrtAsyncHttpClient.create(), isImpatient);
            case "crt":
                return sync(service, AwsCrtHttpClient.create(), isImpatient);
            case "url":
                return sync(
                        service,
                        UrlConnectionHttpClient.builder().socketTimeout(read).build(),
                        isImpatient);
            case "apache5":
                return sync(
                        service, Apache5HttpClient.builder().socketTimeout(read).build(), isImpatient);
            default:
                return sync(
                        service, ApacheHttpClient.builder().socketTimeout(read).build(), isImpatient);
        }
    }

    private static <B extends AwsClientBuilder<B, ?>> B set(B builder, boolean isImpatient) {
        return builder.endpointOverride(SERVER)
                .region(Region.EU_WEST_1)
                .credentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create("AKIA", "secret")))
                .overrideConfiguration(options -> {
                    options.retryStrategy(StandardRetryStrategy.builder()
                            .maxAttempts(ATTEMPTS)
                            .backoffStrategy(BackoffStrategy.retryImmediately())
                            .throttlingBackoffStrategy(BackoffStrategy.retryImmediately())
                            .retryOnException(
                                    error -> error instanceof software.amazon.awssdk.core.exception.RetryableException
                                            || error.getCause() instanceof java.io.IOException
                                            || error instanceof AwsServiceException
                                                    && (((AwsServiceException) error).isThrottlingException()
                                                            || ((AwsServiceException) error).statusCode() >= 500))
                            .build());
                    if (isImpatient) {
                        options.apiCallAttemptTimeout(Duration.ofMillis(200));
                    }
                });
    }

    private static <B extends AwsClientBuilder<B, C> & SdkSyncClientBuilder<B, C>, C> C built(
            B builder, SdkHttpClient http, boolean isImpatient) {
        return set(builder, isImpatient).httpClient(http).build();
    }

    private static <B extends AwsClientBuilder<B, C> & SdkAsyncClientBuilder<B, C>, C> C built(
            B builder, SdkAsyncHttpClient http, boolean isImpatient) {
        return set(builder, isImpatient).httpClient(http).build();
    }

    private static Callable<Object> sync(String service, SdkHttpClient http, boolean isImpatient) {
        switch (service) {
            case "s3":
                S3Client s3 = built(S3Client.builder().forcePathStyle(true), http, isImpatient);
                return () -> s3.putObject(put -> put.bucket(TABLE).key("a/b"), RequestBody.fromString("x"));
            case "sqs":
                SqsClient sqs = built(SqsClient.builder(), http, isImpatient);
                return () -> sqs.listQueues();
            case "sts":
                StsClient sts = built(StsClient.builder(), http, isImpatient);
                return () -> sts.getCallerIdentity();
            case "lambda":
                LambdaClient lambda = built(LambdaClient.builder(), http, isImpatient);
                return () -> lambda.listFunctions();
            case "cloudwatch":
                CloudWatchClient metrics = built(CloudWatchClient.builder(), http, isImpatient);
                return () -> metrics.listMetrics();
            default:
                DynamoDbClient dynamodb = built(DynamoDbClient.builder(), http, isImpatient);
                return () -> dynamodb.putItem(put -> put.tableName(TABLE).item(item()));
        }
    }

    private static Callable<Object> async(String service, SdkAsyncHttpClient http, boolean isImpatient) {
        if (service.equals("lambda")) {
            LambdaAsyncClient lambda = built(LambdaAsyncClient.builder(), http, isImpatient);
            return () -> lambda.listFunctions().get();
        }
        DynamoDbAsyncClient dynamodb = built(DynamoDbAsyncClient.builder(), http, isImpatient);
        return () -> dynamodb.putItem(put -> put.tableName(TABLE).item(item())).get();
    }

    private static Map<String, AttributeValue> item() {
        return Map.of("id", AttributeValue.fromS("1"));
    }

    private static Callable<Object> first(boolean isHasty, boolean isImpatient) {
        RetryPolicy retries = new RetryPolicy(
                PredefinedRetryPolicies.DEFAULT_RETRY_CONDITION, (request, error, retry) -> 0, ATTEMPTS - 1, false);
        ClientConfiguration options =
                new ClientConfiguration().withRetryPolicy(retries).withSocketTimeout(isHasty ? 200 : 20_000);
        if (isImpatient) {
            options.withRequestTimeout(200);
        }
        AmazonDynamoDB dynamodb = AmazonDynamoDBClientBuilder.standard()
                .withClientConfiguration(options)
                .withEndpointConfiguration(new EndpointConfiguration(SERVER.toString(), "eu-west-1"))
                .withCredentials(new AWSStaticCredentialsProvider(new BasicAWSCredentials("AKIA", "secret")))
                .build();
        return () ->
                dynamodb.putItem(TABLE, Map.of("id", new com.amazonaws.services.dynamodbv2.model.AttributeValue("1")));
    }
}
