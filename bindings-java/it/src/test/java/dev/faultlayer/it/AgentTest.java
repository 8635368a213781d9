package dev.faultlayer.it;

import static dev.faultlayer.it.Plans.fault;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledIfEnvironmentVariable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The agent beside what it must not disturb, and with clients that it does not know. */
@Execution(ExecutionMode.CONCURRENT)
class AgentTest {
    private static final List<Map<String, Object>> FAULTS = List.of(
            fault("boom", "error", Plans.RATE, "type", "java.lang.IllegalStateException", "message", "gone"),
            fault("late", "error", Plans.RATE, "type", "java.io.IOException", "message", "late", "when", "after"),
            fault("busy", "response", Plans.RATE, "status", 503, "body", "busy"));
    private static final String BUSY = "{\"statusCode\":503,\"headers\":{},\"body\":\"busy\"}";

    private static List<Object> reasons(Function function) {
        return function.records().stream().map(record -> record.get("reason")).collect(Collectors.toList());
    }

    @ParameterizedTest
    @ValueSource(strings = {"lambdainternal.AWSLambda", "lambdainternal.LambdaRTEntry"})
    void theOlderPackageIsHookedToo(String main) throws IOException {
        Path classes = Path.of(System.getProperty("faultlayer.function"));
        try (Function function = Function.of("shapes.StreamHandler")
                .main(main, classes)
                .plan(Plans.plan(FAULTS))
                .option("-Xverify:all")
                .start()) {
            assertTrue(function.invoke(Plans.idFor(FAULTS, null), "{}").body.contains("\"event\":{}"));
            assertEquals(
                    "response " + BUSY,
                    function.invoke(Plans.idFor(FAULTS, "busy"), "{}").toString());
            // What the method has around the place still sees what is thrown there, and no frame of the agent's does.
            Function.Outcome boom = function.invoke(Plans.idFor(FAULTS, "boom"), "{}");
            assertTrue(boom.body.contains("passed the client: gone"), boom::toString);
            Function.Outcome late = function.invoke(Plans.idFor(FAULTS, "late"), "{}");
            assertTrue(
                    late.body.contains("\"java.io.IOException\"")
                            && late.body.contains("shapes.StreamHandler.handleRequest")
                            && late.body.contains("EventHandlerLoader$1.call"),
                    late::toString);
            assertFalse(late.body.contains("faultlayer"), late::toString);
            assertEquals(3, function.records().size());
        }
    }

    @Test
    void aClientOfNoKnownShapeRunsUntouchedAndOneRecordSaysSo(@TempDir Path folder) throws IOException {
        Path source = Files.createDirectories(folder.resolve("com/amazonaws/services/lambda/runtime/api/client"))
                .resolve("AWSLambda.java");
        Files.writeString(
                source,
                "package com.amazonaws.services.lambda.runtime.api.client;\n"
                        + "public class AWSLambda { public static void main(String[] a) { System.out.println(\"ran \" + a[0]); } }\n");
        assertEquals(
                0,
                ToolProvider.getSystemJavaCompiler()
                        .run(null, null, null, "--release", "11", "-d", folder.toString(), source.toString()));
        try (Function function = Function.of("shapes.StreamHandler")
                .main(Client.MAIN, folder)
                .withoutClient()
                .plan(Plans.plan(FAULTS))
                .start()) {
            assertEquals(0, function.ended());
            assertEquals(List.of("client_unknown"), reasons(function));
            assertTrue(function.log().contains("ran shapes.StreamHandler"));
        }
    }

    @Test
    void withoutItsLibraryTheFunctionRunsUntouchedAndOneRecordSaysWhy(@TempDir Path folder) throws IOException {
        Path agent = folder.resolve("faultlayer-agent.jar");
        Files.copy(Function.LAYER.resolve("faultlayer-agent.jar"), agent);
        try (Function bare = Function.of("shapes.MapHandler").noAgent().start();
                Function function = Function.of("shapes.MapHandler")
                        .variable("JAVA_TOOL_OPTIONS", "-javaagent:" + agent)
                        .plan(Plans.plan(FAULTS))
                        .start()) {
            String id = Plans.idFor(FAULTS, "busy");
            assertEquals(
                    bare.invoke(id, "{}").toString(), function.invoke(id, "{}").toString());
            assertEquals(List.of("internal_error"), reasons(function));
        }
        // Nor does a log that nobody reads hold it up.
        try (Function function = Function.of("shapes.MapHandler")
                .variable("JAVA_TOOL_OPTIONS", "-javaagent:" + agent)
                .plan(Plans.plan(FAULTS))
                .fullLog(folder.resolve("log"))
                .start()) {
            assertEquals("response", function.invoke(Plans.idFor(FAULTS, "busy"), "{}").kind);
        }
        Files.createDirectories(folder.resolve("java"));
        Files.writeString(folder.resolve("java/libfaultlayer_java.so"), "no library");
        try (Function function = Function.of("shapes.MapHandler")
                .variable("JAVA_TOOL_OPTIONS", "-javaagent:" + agent)
                .plan(Plans.plan(FAULTS))
                .start()) {
            assertEquals("response", function.invoke(Plans.idFor(FAULTS, "busy"), "{}").kind);
            assertEquals(List.of("internal_error"), reasons(function));
        }
    }

    @Test
    void whateverTheFunctionHadInItsOptionsStays(@TempDir Path folder) throws IOException {
        Path copy = folder.resolve("other.jar");
        Files.copy(Function.LAYER.resolve("faultlayer-agent.jar"), copy, StandardCopyOption.REPLACE_EXISTING);
        String options = "-javaagent:" + Function.LAYER.resolve("faultlayer-agent.jar") + " -javaagent:" + copy
                + " -Dkept=yes -XX:+PrintFlagsFinal";
        try (Function function = Function.of("shapes.StreamHandler")
                .variable("JAVA_TOOL_OPTIONS", options)
                .plan(Plans.plan(FAULTS))
                .start()) {
            assertEquals(
                    "response " + BUSY,
                    function.invoke(Plans.idFor(FAULTS, "busy"), "{}").toString());
            // The second agent is the same class again: it leaves the first alone.
            assertEquals(1, function.records().size());
            assertTrue(function.log().stream().anyMatch(line -> line.contains("UseSerialGC")));
        }
    }

    @Test
    void theHandlerSeesNoFrameOfTheAgents() throws IOException {
        String id = Plans.idFor(FAULTS, null);
        try (Function bare = Function.of("shapes.Tracing").noAgent().start();
                Function active =
                        Function.of("shapes.Tracing").plan(Plans.plan(FAULTS)).start()) {
            assertEquals(bare.invoke(id, "{}").body, active.invoke(id, "{}").body);
        }
    }

    @Test
    void anInjectedErrorComesFromTheHandlersFirstLine() throws IOException {
        try (Function function =
                Function.of("shapes.MapHandler").plan(Plans.plan(FAULTS)).start()) {
            String own = function.invoke(Plans.idFor(FAULTS, null), "{\"a\":\"please fail\"}").body;
            for (String fault : List.of("boom", "late")) {
                String body = function.invoke(Plans.idFor(FAULTS, fault), "{}").body;
                List<?> expected = (List<?>) Json.object(own).get("stackTrace");
                assertEquals(
                        expected.subList(1, expected.size()), Json.object(body).get("stackTrace"));
            }
        }
    }

    @Test
    @DisabledIfEnvironmentVariable(
            named = "FAULTLAYER_TESTS_NOBODY",
            matches = ".*",
            disabledReason = "a fault about a host can fire")
    void whereNothingCanFireTheClientIsNotTouched() throws IOException {
        String id = Plans.idFor(FAULTS, "busy");
        String healthy = "{ \"statusCode\" : 2.0e2,\"body\":\"stream \\u0041\", \"event\":{} }\n";
        String never = Plans.plan(List.of(fault("busy", "response", 0, "status", 503)));
        String expired = Plans.plan(FAULTS).replace("2099", "2001");
        String endless = Plans.plan(FAULTS).replace("\"expires_at\":\"2099-01-01T00:00:00Z\",", "");
        String[][] cases = {
            {"", "plan_missing"},
            {"{", "plan_invalid"},
            {expired, "plan_expired"},
            {endless, "plan_without_expiry"},
            {"s3:x", "plan_source_unknown"},
            {never, null},
        };
        for (String[] row : cases) {
            try (Function function = Function.of("shapes.StreamHandler")
                    .plan(row[0])
                    .option("-Xlog:class+load:stdout")
                    .start()) {
                assertEquals("response " + healthy, function.invoke(id, "{}").toString(), row[0]);
                assertEquals(row[1] == null ? List.of() : List.of(row[1]), reasons(function), row[0]);
                // Not even ASM was loaded.
                assertEquals(
                        List.of(),
                        function.log().stream()
                                .filter(line -> line.contains("agent.asm"))
                                .collect(Collectors.toList()));
            }
        }
    }

    @Test
    void aFunctionWithoutAnSdkHasNothingPreparedForOne() throws IOException {
        List<Map<String, Object>> calls = List.of(
                fault("throttle", "aws_call", Plans.RATE, "target", Map.of("service", List.of("s3")), "delay_ms", 1));
        try (Function function = Function.of("shapes.MapHandler")
                .plan(Plans.plan(calls))
                .option("-Xlog:class+load:stdout")
                .start()) {
            assertEquals("response", function.invoke(Plans.idFor(calls, null), "{}").kind);
            assertTrue(function.end().stream().anyMatch(line -> line.contains("dev.faultlayer.agent.SdkTransformer")));
            assertEquals(
                    List.of(),
                    function.log().stream()
                            .filter(line -> line.contains("agent.runtime.Sdk"))
                            .collect(Collectors.toList()));
        }
    }

    @Test
    void aJvmThatTheFunctionStartsRunsAsEver() throws IOException {
        try (Function function =
                Function.of("shapes.Starting").plan(Plans.plan(FAULTS)).start()) {
            Function.Outcome outcome = function.invoke(Plans.idFor(FAULTS, null), "{}");
            assertTrue(outcome.body.endsWith("child ran \""), outcome::toString);
            assertFalse(outcome.body.contains("source"), outcome::toString);
        }
    }

    @Test
    void errorsOfLoadingAreTheClientsOwn() throws IOException {
        for (String handler : List.of("shapes.NotThere", "shapes.MapHandler::notThere", "shapes.Work::maybeFail")) {
            try (Function bare = Function.of(handler).noAgent().start();
                    Function active =
                            Function.of(handler).plan(Plans.plan(FAULTS)).start()) {
                String id = Plans.idFor(FAULTS, "boom");
                assertEquals(
                        bare.invoke(id, "{}").toString(),
                        active.invoke(id, "{}").toString(),
                        handler);
                // The handler was never called, so nothing was decided.
                assertEquals(List.of(), active.records());
            }
        }
    }

    @Test
    void eventsAndContextsAreMatched() throws IOException {
        String context =
                "{\"custom\":{\"tenant\":\"acme\",\"n\":\"1\"},\"env\":{\"locale\":\"de\"},\"client\":{\"app_title\":\"Shop \\\"x\\\"\"}}";
        List<Map<String, Object>> faults = List.of(
                fault(
                        "by_event",
                        "response",
                        1,
                        "body",
                        "event",
                        "match",
                        Json.object("{\"event\":{\"order\":{\"items\":{\"sku\":[{\"prefix\":\"A-\"}]}}}}")),
                fault(
                        "by_client",
                        "response",
                        1,
                        "body",
                        "client",
                        "match",
                        Json.object(
                                "{\"context\":{\"client_context\":{\"custom\":{\"tenant\":[\"acme\"]},\"client\":{\"app_title\":[\"Shop \\\"x\\\"\"]}}}}")),
                fault(
                        "by_context",
                        "response",
                        1,
                        "body",
                        "context",
                        "match",
                        Json.object(
                                "{\"event\":{\"who\":[\"context\"]},\"context\":{\"alias\":[\"live\"],\"function_name\":[\"shapes\"],\"memory_mb\":[512],\"runtime\":[\"java17\"],\"invocation\":[{\"numeric\":[\">\",3]}]}}")));
        for (String handler : List.of("shapes.StreamHandler", "shapes.MapHandler")) {
            try (Function function =
                    Function.of(handler).plan(Plans.plan(faults)).start()) {
                String order = "{\"order\":{\"items\":[{\"sku\":\"B-1\"},{\"sku\":\"A-7\"}]}}";
                assertTrue(function.invoke("1", order).body.contains("\"body\":\"event\""));
                assertTrue(
                        function.invoke("2", order.replace("A-7", "C-7")).body.contains("C-7"));
                assertTrue(function.invoke("3", "{\"who\":\"context\"}").body.contains("who"));
                Function.Outcome client = function.outcome(
                        function.submit("4", "{}", Map.of("Lambda-Runtime-Client-Context", context), 30_000));
                assertTrue(client.body.contains("\"body\":\"client\""), client::toString);
                assertTrue(function.invoke("5", "{\"who\":\"context\"}").body.contains("\"body\":\"context\""));
                assertTrue(function.invoke("6", "{\"who\":\"else\"}").body.contains("else"));
            }
        }
    }

    @Test
    void concurrentInvocationsEachMeetTheirOwn() throws IOException {
        List<String> ids = new ArrayList<>();
        for (int i = 0; i < 600; i++) {
            ids.add("8f5c7d1e-0000-4000-9000-" + String.format("%012d", i));
        }
        List<Map<String, Object>> faults = List.of(
                fault("busy", "response", 0.3, "status", 503, "body", "busy"),
                fault("slow", "latency", 0.3, "delay_ms", 3),
                fault("lies", "corrupt", 0.3));
        try (Function function = Function.of("shapes.Slow")
                .plan(Plans.plan(faults))
                .variable("AWS_LAMBDA_MAX_CONCURRENCY", "8")
                .start()) {
            List<RuntimeApi.Invocation> running = ids.stream()
                    .map(id -> function.submit(id, "{}", Map.of(), 30_000))
                    .collect(Collectors.toList());
            for (RuntimeApi.Invocation invocation : running) {
                String body = function.outcome(invocation).body;
                if (Sampling.sample(Plans.SEED, "busy", invocation.id) < 0.3) {
                    assertEquals(BUSY, body);
                } else if (Sampling.sample(Plans.SEED, "lies", invocation.id) < 0.3) {
                    assertFalse(body.contains(invocation.id), body);
                } else {
                    assertEquals('"' + invocation.id + '"', body);
                }
            }
            Map<Object, Long> drawn = function.records().stream()
                    .collect(Collectors.groupingBy(record -> record.get("fault"), Collectors.counting()));
            for (String fault : List.of("busy", "slow", "lies")) {
                long expected = ids.stream()
                        .filter(id -> Sampling.sample(Plans.SEED, fault, id) < 0.3)
                        .count();
                assertEquals(expected, drawn.get(fault), fault);
            }
            long cold = function.records().stream()
                    .filter(record -> record.get("coldStart").equals(true))
                    .map(record -> record.get("requestId"))
                    .distinct()
                    .count();
            assertTrue(cold <= 1, () -> cold + " cold starts");
        }
    }

    @Test
    void afterASnapshotTheStateIsOfTheRestoredEnvironment(@TempDir Path folder) throws IOException {
        Path plan = folder.resolve("plan.json");
        Files.writeString(plan, Plans.plan(List.of(fault("early", "response", 1, "body", "before the snapshot"))));
        try (Function function = Function.of("shapes.StreamHandler")
                .plan("file:" + plan)
                .variable("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")
                .onRestore(() ->
                        write(plan, Plans.plan(List.of(fault("restored", "response", 1, "body", "after the restore")))))
                .start()) {
            assertTrue(function.invoke("1", "{}").body.contains("after the restore"));
            Map<String, Object> record = function.records().get(0);
            assertEquals("restored", record.get("fault"));
            assertEquals(true, record.get("coldStart"));
        }
    }

    private static void write(Path file, String text) {
        try {
            Files.writeString(file, text);
        } catch (IOException error) {
            throw new IllegalStateException(error);
        }
    }
}
