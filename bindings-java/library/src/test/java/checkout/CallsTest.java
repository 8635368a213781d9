package checkout;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.sun.net.httpserver.HttpServer;
import dev.faultlayer.Fault;
import dev.faultlayer.Faultlayer;
import dev.faultlayer.NoChanceException;
import dev.faultlayer.Plan;
import dev.faultlayer.junit.Faults;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.apache.ApacheHttpClient;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.retries.StandardRetryStrategy;
import software.amazon.awssdk.retries.api.BackoffStrategy;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.ProvisionedThroughputExceededException;
import software.amazon.awssdk.services.dynamodb.model.PutItemRequest;
import software.amazon.awssdk.services.dynamodb.model.ResourceNotFoundException;

/** Calls to AWS in tests: the SDK's own clients, with no agent on the command line, no mock, and mostly no server. */
class CallsTest {
    private static final int ATTEMPTS = 3;
    private static final URI NOBODY = URI.create("http://127.0.0.1:1");
    private static final PutItemRequest PUT =
            PutItemRequest.builder().tableName("orders").build();
    private static final String THROTTLED =
            "{\"version\":1,\"expires_at\":\"never\",\"faults\":[{\"id\":\"throttle\",\"kind\":\"aws_call\",\"rate\":1,"
                    + "\"target\":{\"service\":[\"dynamodb\"]},\"error\":\"ProvisionedThroughputExceededException\"}]}";

    private static final AtomicInteger SERVED = new AtomicInteger();
    private static HttpServer server;
    private static DynamoDbClient dynamodb;

    @BeforeAll
    static void serve() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            SERVED.incrementAndGet();
            exchange.getRequestBody().readAllBytes();
            exchange.getResponseHeaders().set("Content-Type", "application/x-amz-json-1.0");
            exchange.sendResponseHeaders(200, 2);
            exchange.getResponseBody().write("{}".getBytes());
            exchange.close();
        });
        server.start();
        // Before any plan: clients are hit whenever they were made.
        dynamodb = client("apache", at(), Duration.ofSeconds(20));
    }

    @AfterAll
    static void end() {
        dynamodb.close();
        server.stop(0);
    }

    private static URI at() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    private static <B extends AwsClientBuilder<B, ?>> B set(B builder, URI endpoint) {
        return builder.endpointOverride(endpoint)
                .region(Region.EU_WEST_1)
                .credentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create("AKIA", "secret")))
                .overrideConfiguration(options -> options.retryStrategy(StandardRetryStrategy.builder()
                        .maxAttempts(ATTEMPTS)
                        .backoffStrategy(BackoffStrategy.retryImmediately())
                        .throttlingBackoffStrategy(BackoffStrategy.retryImmediately())
                        .retryOnExceptionOrCause(IOException.class)
                        .retryOnException(ProvisionedThroughputExceededException.class)
                        .build()));
    }

    private static DynamoDbClient client(String http, URI endpoint, Duration timeout) {
        SdkHttpClient client = http.equals("url")
                ? UrlConnectionHttpClient.builder().socketTimeout(timeout).build()
                : ApacheHttpClient.builder().socketTimeout(timeout).build();
        return set(DynamoDbClient.builder(), endpoint).httpClient(client).build();
    }

    private static Fault throttle() {
        return Fault.awsCall(Map.of("service", List.of("dynamodb"), "operation", List.of("PutItem")))
                .set("error", "ProvisionedThroughputExceededException")
                .id("throttle");
    }

    private static Plan plan(Fault... faults) {
        Plan plan = Plan.experiment("calls").neverExpires();
        for (Fault fault : faults) {
            plan.fault(fault);
        }
        return plan;
    }

    /** Of each record: what was done, then the reason and the attempt, where there are any. */
    private static List<String> told(Faultlayer faults) {
        List<String> told = new ArrayList<>();
        for (String record : faults.records()) {
            StringBuilder line = new StringBuilder();
            for (String field : List.of("action", "reason", "attempt")) {
                Matcher found = Pattern.compile("\"" + field + "\":\"?(\\w+)").matcher(record);
                line.append(found.find() ? found.group(1) + " " : "");
            }
            told.add(line.toString().trim());
        }
        return told;
    }

    private static void assertNoFrameOfOurs(Throwable thrown) {
        for (Throwable each = thrown; each != null; each = each.getCause()) {
            for (StackTraceElement frame : each.getStackTrace()) {
                assertFalse(frame.getClassName().startsWith("dev.faultlayer"), frame::toString);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"apache", "url"})
    void aThrottleIsMetAndItsRetryGoesOut(String http) {
        int before = SERVED.get();
        Faultlayer faults = Faultlayer.of(plan(throttle().set("calls", Map.of("first", 1))));
        try (faults;
                DynamoDbClient client = client(http, at(), Duration.ofSeconds(20))) {
            client.putItem(PUT);
            client.listTables();
        }
        assertEquals(before + 2, SERVED.get());
        assertEquals(List.of("injected 1", "skipped not_chosen"), told(faults));
    }

    @ParameterizedTest
    @ValueSource(strings = {"apache", "url"})
    void withoutAnyServerTheSdkGivesUpAsEver(String http) {
        Faultlayer faults = Faultlayer.of(plan(throttle()));
        try (faults;
                DynamoDbClient client = client(http, NOBODY, Duration.ofSeconds(20))) {
            ProvisionedThroughputExceededException thrown =
                    assertThrows(ProvisionedThroughputExceededException.class, () -> client.putItem(PUT));
            assertEquals(400, thrown.statusCode());
            assertEquals("injected by Faultlayer", thrown.awsErrorDetails().errorMessage());
            assertTrue(thrown.requestId().startsWith("faultlayer-"), thrown::requestId);
            assertNoFrameOfOurs(thrown);
        }
        assertEquals(List.of("injected 1", "injected 2", "injected 3"), told(faults));
    }

    @ParameterizedTest
    @ValueSource(strings = {"apache", "url"})
    void aDelayBeyondTheClientsTimeoutEndsAsThatDoes(String http) {
        Faultlayer faults = Faultlayer.of(
                plan(Fault.awsCall(Map.of("service", List.of("dynamodb"))).set("delay_ms", 5000)));
        try (faults;
                DynamoDbClient client = client(http, NOBODY, Duration.ofMillis(50))) {
            SdkClientException thrown = assertThrows(SdkClientException.class, () -> client.putItem(PUT));
            Throwable cause = thrown;
            while (cause.getCause() != null) {
                cause = cause.getCause();
            }
            assertEquals(SocketTimeoutException.class, cause.getClass());
            assertNoFrameOfOurs(thrown);
        }
        assertEquals(ATTEMPTS, faults.injected().size());
    }

    @Test
    void theAttemptsOfAnAsynchronousCallAreThoseOfItsFirst() {
        Faultlayer faults = Faultlayer.of(plan(throttle()));
        try (faults;
                DynamoDbAsyncClient client =
                        set(DynamoDbAsyncClient.builder(), NOBODY).build()) {
            ExecutionException thrown = assertThrows(
                    ExecutionException.class, () -> client.putItem(PUT).get());
            assertEquals(
                    ProvisionedThroughputExceededException.class,
                    thrown.getCause().getClass());
        }
        assertEquals(List.of("injected 1", "injected 2", "injected 3"), told(faults));
    }

    @Test
    void anotherThreadsCallIsNotHitAndOneRecordSaysSo() {
        Faultlayer faults = Faultlayer.of(plan(throttle()));
        for (int i = 0; i < 2; i++) {
            CompletableFuture.runAsync(() -> dynamodb.putItem(PUT)).join();
        }
        assertEquals(1, faults.records().size());
        assertTrue(faults.records().get(0).contains("\"reason\":\"unattributed_call\""), faults.records()::toString);
        NoChanceException missed = assertThrows(NoChanceException.class, faults::close);
        assertEquals("other_thread", missed.missed().get(0).reason());
    }

    @Test
    void aPlanWithoutAnyCallHadNoChance() {
        NoChanceException missed = assertThrows(
                NoChanceException.class, () -> Faultlayer.of(plan(throttle())).close());
        assertTrue(missed.getMessage().contains("no handler and no client of AWS's was called"), missed::getMessage);
        Faultlayer other = Faultlayer.of(plan(throttle()));
        dynamodb.listTables();
        other.close();
        assertEquals(List.of("skipped no_call"), told(other));
    }

    @Test
    void aWrappedHandlersCallsAreItsOwnDecision() {
        RequestHandler<String, Object> put = (event, context) -> dynamodb.putItem(PUT);
        RequestHandler<String, Object> alone = Faultlayer.wrap(put, plan(throttle()));
        assertThrows(ProvisionedThroughputExceededException.class, () -> alone.handleRequest("e", null));
        // Nothing is around the test itself.
        dynamodb.putItem(PUT);
        try (Faultlayer faults = Faultlayer.of(plan(throttle().set("calls", Map.of("first", 1))))) {
            faults.wrap(put).handleRequest("e", null);
            faults.wrap(put).handleRequest("e", null);
            assertEquals(List.of("injected 1", "skipped not_chosen", "injected 1", "skipped not_chosen"), told(faults));
            dynamodb.putItem(PUT);
            dynamodb.putItem(PUT);
            assertEquals(3, faults.injected().size());
        }
    }

    @Test
    void aHandlerUnderAPlanOfOtherKindsHidesItsCallsFromTheTests() {
        RequestHandler<String, Object> put = (event, context) -> dynamodb.putItem(PUT);
        RequestHandler<String, Object> slow = Faultlayer.wrap(put, plan(Fault.latency("slow", 0, Duration.ZERO)));
        try (Faultlayer faults = Faultlayer.of(plan(throttle()), false)) {
            slow.handleRequest("e", null);
            assertEquals(List.of(), faults.records());
        }
    }

    @Test
    void theInnermostPlanOfTheThreadIsTheOneThatIsMet() {
        try (Faultlayer outer = Faultlayer.of(plan(throttle()))) {
            try (Faultlayer inner = Faultlayer.of(plan(throttle().set("error", "ResourceNotFoundException")))) {
                assertThrows(ResourceNotFoundException.class, () -> dynamodb.putItem(PUT));
                assertEquals(1, inner.injected().size());
            }
            assertEquals(List.of(), outer.records());
            assertThrows(ProvisionedThroughputExceededException.class, () -> dynamodb.putItem(PUT));
            outer.replace(plan());
            dynamodb.putItem(PUT);
        }
        dynamodb.putItem(PUT);
    }

    @Test
    @Faults(plan = THROTTLED)
    void theAnnotationsPlanMeetsTheTestsOwnCalls() {
        assertThrows(ProvisionedThroughputExceededException.class, () -> dynamodb.putItem(PUT));
    }
}
