package bench;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import com.amazonaws.services.lambda.runtime.api.client.runtimeapi.dto.InvocationRequest;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.client.builder.AwsSyncClientBuilder;
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.core.http.ExecutionContext;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.SdkExecutionAttribute;
import software.amazon.awssdk.core.internal.http.RequestExecutionContext;
import software.amazon.awssdk.http.ExecutableHttpRequest;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.GetItemRequest;
import software.amazon.awssdk.services.sqs.SqsClient;

/**
 * Microseconds on the processor of what the layer's agent does with an attempt of version 2 of the SDK that is not hit, by
 * rounds, all kinds in turns; JSON on standard output. Each calls what the SDK calls, with a request that the SDK has signed.
 *
 * <p>With the number of rounds.
 */
public final class AwsCalls implements RequestStreamHandler {
    private static final int CALLS = 20_000;
    private static final int WARM = 10;
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private final Map<String, List<Double>> rounds = new LinkedHashMap<>();
    private final Catching client = new Catching();
    private final HttpExecuteRequest get;
    private final HttpExecuteRequest list;
    private final Object context;

    private AwsCalls() {
        try (DynamoDbClient dynamodb = built(DynamoDbClient.builder());
                SqsClient sqs = built(SqsClient.builder())) {
            GetItemRequest one = GetItemRequest.builder()
                    .tableName("orders")
                    .key(Map.of("id", AttributeValue.fromS("1")))
                    .build();
            get = client.caught(() -> dynamodb.getItem(one));
            list = client.caught(sqs::listQueues);
            ExecutionAttributes attributes =
                    new ExecutionAttributes().putAttribute(SdkExecutionAttribute.OPERATION_NAME, "GetItem");
            context = RequestExecutionContext.builder()
                    .originalRequest(one)
                    .executionContext(ExecutionContext.builder()
                            .executionAttributes(attributes)
                            .build())
                    .build();
        }
    }

    private <B extends AwsClientBuilder<B, C> & AwsSyncClientBuilder<B, C>, C> C built(B builder) {
        return builder.httpClient(client)
                .region(Region.EU_WEST_1)
                .credentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create("a", "b")))
                .build();
    }

    /** Keeps what it is asked, and sends nothing. */
    private static final class Catching implements SdkHttpClient {
        private HttpExecuteRequest request;

        HttpExecuteRequest caught(Runnable call) {
            try {
                call.run();
            } catch (RuntimeException nothingWasSent) {
                return request;
            }
            throw new IllegalStateException("it was answered");
        }

        @Override
        public ExecutableHttpRequest prepareRequest(HttpExecuteRequest asked) {
            request = asked;
            throw new IllegalArgumentException("nothing is sent");
        }

        @Override
        public void close() {}
    }

    /** What the agent has the SDK call, once the SDK is loaded. */
    private static final class Site {
        static final MethodHandle INSTEAD = handle("dev.faultlayer.agent.runtime.sdk.Sync", "instead");
        static final MethodHandle BARE = handle("bench.AwsCalls", "bare");

        private static MethodHandle handle(String in, String name) {
            MethodType type =
                    MethodType.methodType(SdkHttpClient.class, SdkHttpClient.class, HttpExecuteRequest.class, Object.class);
            try {
                Class<?> owner = Class.forName(in, true, SdkHttpClient.class.getClassLoader());
                return MethodHandles.lookup().findStatic(owner, name, type);
            } catch (ReflectiveOperationException missing) {
                throw new IllegalStateException(missing);
            }
        }
    }

    static SdkHttpClient bare(SdkHttpClient client, HttpExecuteRequest request, Object context) {
        return client;
    }

    @Override
    public void handleRequest(InputStream event, OutputStream answer, Context told) throws IOException {
        boolean isHit = new String(event.readAllBytes(), StandardCharsets.UTF_8).contains("true");
        try {
            if (isHit) {
                round("in one that is, to another service", list);
                round("to the service, another operation", get);
            } else {
                bareRound();
                round("in an invocation that is not hit", get);
            }
        } catch (Throwable wrong) {
            throw new IllegalStateException(wrong);
        }
    }

    private void bareRound() throws Throwable {
        long begun = THREADS.getCurrentThreadCpuTime();
        for (int i = 0; i < CALLS; i++) {
            expect((SdkHttpClient) Site.BARE.invokeExact((SdkHttpClient) client, get, context));
        }
        keep("bare", begun);
    }

    private void round(String name, HttpExecuteRequest request) throws Throwable {
        long begun = THREADS.getCurrentThreadCpuTime();
        for (int i = 0; i < CALLS; i++) {
            expect((SdkHttpClient) Site.INSTEAD.invokeExact((SdkHttpClient) client, request, context));
        }
        keep(name, begun);
    }

    private void expect(SdkHttpClient instead) {
        if (instead != client) {
            throw new IllegalStateException("it was hit");
        }
    }

    private void keep(String name, long begun) {
        double taken = (THREADS.getCurrentThreadCpuTime() - begun) / 1000.0 / CALLS;
        rounds.computeIfAbsent(name, __ -> new ArrayList<>()).add(taken);
    }

    public static void main(String[] arguments) throws Exception {
        // Before the SDK is loaded, as in Lambda.
        Calls.begin();
        AwsCalls handler = new AwsCalls();
        Caller caller = Calls.caller(handler);
        Consumer<Boolean> invoke = isHit -> {
            InvocationRequest request = Calls.request("8f5c7d1e-7b61-11e6-9a41-93e8deadbeef");
            request.setContent(("{\"hit\":" + isHit + "}").getBytes(StandardCharsets.UTF_8));
            try {
                caller.call(request);
            } catch (Exception wrong) {
                throw new IllegalStateException(wrong);
            }
        };
        for (int round = 0; round < Integer.parseInt(arguments[0]) + WARM; round++) {
            if (round == WARM) {
                handler.rounds.clear();
            }
            invoke.accept(false);
            invoke.accept(true);
        }
        System.out.println(handler.rounds.entrySet().stream()
                .map(kind -> "\"" + kind.getKey() + "\": " + kind.getValue())
                .collect(Collectors.joining(", ", "{", "}")));
    }
}
