package dev.faultlayer.runtime.sdk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.faultlayer.Faultlayer;
import dev.faultlayer.Plan;
import dev.faultlayer.runtime.Native;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.core.http.ExecutionContext;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.SdkExecutionAttribute;
import software.amazon.awssdk.core.internal.http.RequestExecutionContext;
import software.amazon.awssdk.http.ExecutableHttpRequest;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.SdkHttpFullRequest;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.async.AsyncExecuteRequest;
import software.amazon.awssdk.http.async.SdkAsyncHttpClient;
import software.amazon.awssdk.services.dynamodb.model.GetItemRequest;

/** Which attempts of the SDK's version 2 go out without a question, held against what the engine answers for each. */
class UnaskedTest {
    private static final String SIGNED =
            "AWS4-HMAC-SHA256 Credential=AKIA/20261127/eu-west-1/%s/aws4_request, SignedHeaders=host, Signature=0";

    /** Service and operation, which is empty where the SDK does not tell it. */
    private static final String[][] ATTEMPTS = {
        {"dynamodb", "PutItem"},
        {"dynamodb", "PutItems"},
        {"dynamodb", "GetItem"},
        {"dynamodb", ""},
        {"sqs", "PutItem"},
        {"sqs", "ListQueues"},
        {"sqs", ""},
    };

    private static final List<String> OF_DYNAMODB =
            List.of("dynamodb PutItem", "dynamodb PutItems", "dynamodb GetItem", "dynamodb ");

    private static AtomicInteger waiting;
    private static AtomicReference<String[]> scopes;
    private static BiFunction<Object, byte[], byte[]> engine;
    private static Consumer<Throwable> trouble;

    /** In the place of the library's, which always asks. */
    @BeforeAll
    static void takesThePlaceOfTheLibrary() {
        Faultlayer.of(Plan.experiment("unasked").neverExpires()).close();
        waiting = Site.waiting;
        scopes = Site.scopes;
        engine = Site.engine;
        trouble = Site.trouble;
        Site.waiting = new AtomicInteger(1);
        Site.scopes = new AtomicReference<>();
        Site.trouble = wrong -> {
            throw new AssertionError(wrong);
        };
    }

    @AfterAll
    static void leavesIt() {
        Site.waiting = waiting;
        Site.scopes = scopes;
        Site.engine = engine;
        Site.trouble = trouble;
    }

    @Test
    void thoseByAnotherOperationThanTheTargetsName() {
        String put = "{\"service\":[\"dynamodb\"],\"operation\":[\"PutItem\"]}";
        assertEquals(List.of("dynamodb PutItem", "dynamodb "), asked(put));
        String either = "{\"service\":[\"dynamodb\"],\"operation\":[\"PutItem\",\"GetItem\"]}";
        assertEquals(List.of("dynamodb PutItem", "dynamodb GetItem", "dynamodb "), asked(either));
        // Each target names its own.
        String list = "{\"service\":[\"sqs\"],\"operation\":[\"ListQueues\"]}";
        assertEquals(List.of("dynamodb PutItem", "dynamodb ", "sqs ListQueues", "sqs "), asked(put, list));
    }

    @Test
    void noneOfTheServiceWhereATargetDoesNotNameItsOperationsAsTheyAre() {
        for (String operation : List.of(
                "[{\"prefix\":\"Put\"}]",
                "[{\"wildcard\":\"*Item\"}]",
                "[{\"equals-ignore-case\":\"putitem\"}]",
                "[{\"anything-but\":[\"GetItem\"]}]",
                "[\"GetItem\",{\"prefix\":\"Put\"}]")) {
            assertEquals(OF_DYNAMODB, asked("{\"service\":[\"dynamodb\"],\"operation\":" + operation + "}"), operation);
        }
        assertEquals(OF_DYNAMODB, asked("{\"service\":[\"dynamodb\"]}"));
        String get = "{\"service\":[\"dynamodb\"],\"operation\":[\"GetItem\"]}";
        assertEquals(OF_DYNAMODB, asked(get, "{\"service\":[\"dynamodb\"],\"method\":[\"POST\"]}"));
    }

    @Test
    void noneWhereATargetDoesNotNameItsServicesAsTheyAre() {
        String put = "{\"service\":[\"dynamodb\"],\"operation\":[\"PutItem\"]}";
        assertEquals(ATTEMPTS.length, asked("{\"operation\":[\"PutItem\"]}").size());
        assertEquals(
                ATTEMPTS.length,
                asked(put, "{\"service\":[{\"prefix\":\"sq\"}]}").size());
    }

    @Test
    void noneThatIsNotSignedSoThatItsServiceStandsFirst() {
        Site.scopes.set(new String[] {"/dynamodb/aws4_request", "PutItem"});
        String elsewhere = String.format(SIGNED, "dynamodb")
                .replace("Credential", "SignedHeaders=host;x-amz-date;x-amz-target, Credential");
        for (String authorization : new String[] {null, "", "Bearer sqs/aws4_request", "AWS4-", elsewhere}) {
            assertFalse(Site.isNobodys(authorization, "GetItem"), authorization);
        }
        assertTrue(Site.isNobodys(String.format(SIGNED, "dynamodb"), "GetItem"));
    }

    /** The attempts that the engine is asked for, by both kinds of clients: all those are among them that it hits. */
    private static List<String> asked(String... targets) {
        StringBuilder faults = new StringBuilder();
        for (String target : targets) {
            faults.append(faults.length() == 0 ? "" : ",");
            faults.append("{\"id\":\"f").append(faults.length()).append("\",\"kind\":\"aws_call\",\"rate\":1,");
            faults.append("\"error\":\"SlowDown\",\"target\":").append(target).append('}');
        }
        String plan = "{\"version\":1,\"expires_at\":\"never\",\"faults\":[" + faults + "]}";
        long host = Long.parseLong(Native.library(plan, null)[0]);
        long session = Native.decideCalls(host, "one");
        try {
            Native.before(session, Native.ABSENT);
            long calls = Native.calls(session);
            Site.scopes.set(Native.scopes(calls));
            List<String> asked = new ArrayList<>();
            for (String[] attempt : ATTEMPTS) {
                List<String> told = told(attempt[0], attempt[1]);
                if (!told.isEmpty()) {
                    asked.add(String.join(" ", attempt));
                }
                byte[] lines = String.format("POST\nhttps://host/\n" + SIGNED + "\n\n\n\n%s", (Object[]) attempt)
                        .getBytes(StandardCharsets.UTF_8);
                boolean isHit = Native.met(calls, lines, null, Native.ABSENT) != null;
                assertTrue(!isHit || told.size() == 2, () -> String.join(" ", attempt));
                assertTrue(told.stream().allMatch(each -> each.endsWith("\n" + attempt[1])), told::toString);
            }
            return asked;
        } finally {
            Native.end(session);
            Native.free(host);
            // Those of this thread, which are no other test's.
            Native.records();
        }
    }

    /** What the engine is told of an attempt, by each kind of client that asks. */
    private static List<String> told(String service, String operation) {
        List<String> told = new ArrayList<>();
        Site.engine = (call, lines) -> {
            told.add(new String(lines, StandardCharsets.UTF_8));
            return null;
        };
        SdkHttpFullRequest request = SdkHttpFullRequest.builder()
                .method(SdkHttpMethod.POST)
                .protocol("https")
                .host("host")
                .encodedPath("/")
                .putHeader("Authorization", String.format(SIGNED, service))
                .build();
        Object context = operation.isEmpty() ? null : context(operation);
        Blocking blocking = new Blocking();
        HttpExecuteRequest one = HttpExecuteRequest.builder().request(request).build();
        assertSame(blocking, Sync.instead(blocking, one, context));
        Asynchronous asynchronous = new Asynchronous();
        AsyncExecuteRequest other =
                AsyncExecuteRequest.builder().request(request).build();
        assertSame(asynchronous, Async.instead(asynchronous, other, context));
        return told;
    }

    private static Object context(String operation) {
        ExecutionAttributes attributes =
                new ExecutionAttributes().putAttribute(SdkExecutionAttribute.OPERATION_NAME, operation);
        return RequestExecutionContext.builder()
                .originalRequest(GetItemRequest.builder().build())
                .executionContext(ExecutionContext.builder()
                        .executionAttributes(attributes)
                        .build())
                .build();
    }

    private static final class Blocking implements SdkHttpClient {
        @Override
        public ExecutableHttpRequest prepareRequest(HttpExecuteRequest request) {
            throw new IllegalStateException("nothing is sent");
        }

        @Override
        public void close() {}
    }

    private static final class Asynchronous implements SdkAsyncHttpClient {
        @Override
        public CompletableFuture<Void> execute(AsyncExecuteRequest request) {
            throw new IllegalStateException("nothing is sent");
        }

        @Override
        public void close() {}
    }
}
