package dev.faultlayer.it;

import static dev.faultlayer.it.Plans.fault;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Plans that come from a place and change there, through the real client: the function never waits for them. */
class LiveTest {
    private static final String HANDLER = "shapes.StringHandler";
    private static final String APPCONFIG = "appconfig:shop/prod/faults";
    private static final String PARAMETER = "parameter:/faults/checkout";

    private static String says(String answer, Object... fields) {
        List<Object> all = new ArrayList<>(List.of("payload", answer));
        all.addAll(List.of(fields));
        return Plans.plan(List.of(fault("it", "response", 1, all.toArray())));
    }

    private static boolean isOwn(Function.Outcome outcome) {
        return outcome.toString().startsWith("response \"heard: ");
    }

    /** Invokes until that is the answer. */
    private static void until(Function function, String answer, String event) {
        untilHas(function, "\"" + answer + "\"", event);
    }

    /** Invokes until the answer has that. */
    private static void untilHas(Function function, String text, String event) {
        long end = System.currentTimeMillis() + 30_000;
        String seen;
        do {
            seen = function.invoke("id", event).body;
            assertTrue(System.currentTimeMillis() < end, "never " + text + ", but " + seen + function.log());
            pause(5);
        } while (!seen.contains(text));
    }

    /** Waits until the last record is that one: a plan that can be read again is in force before that is written. */
    private static void untilTold(Function function, String reason) {
        long end = System.currentTimeMillis() + 30_000;
        List<Object> told = reasons(function);
        while (System.currentTimeMillis() < end && (told.isEmpty() || !reason.equals(told.get(told.size() - 1)))) {
            pause(5);
            told = reasons(function);
        }
    }

    private static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static List<Object> reasons(Function function) {
        return function.records().stream()
                .filter(record -> !record.containsKey("fault"))
                .map(record -> record.get("reason"))
                .collect(Collectors.toList());
    }

    @Test
    void aPlanInAppConfigIsThereFromTheFirstInvocationAndOthersFollow() throws IOException {
        try (Extension extension = new Extension()) {
            extension.plan(says("one"));
            try (Function function =
                    extension.function("shapes.MapHandler", APPCONFIG).start()) {
                assertEquals("\"one\"", function.invoke("id", "{}").body);
                extension.plan(says("two", "match", Map.of("event", Map.of("who", List.of("me")))));
                // What the new plan asks of the event is read though the one before asked for nothing.
                until(function, "two", "{\"who\":\"me\"}");
                while (function.invoke("id", "{\"who\":\"you\"}").body.equals("\"one\"")) {
                    pause(5);
                }
                assertEquals("\"two\"", function.invoke("id", "{\"who\":\"me\"}").body);
                // Sampled by the deadline, which is asked for before it is decided.
                extension.plan(says("three", "sample_by", "attempt"));
                until(function, "three", "{}");
                Set<Object> paths = new HashSet<>();
                extension.asked().forEach(call -> paths.add(call.get("path")));
                assertEquals(Set.of("/applications/shop/environments/prod/configurations/faults"), paths);
                assertEquals(List.of(), reasons(function));
            }
        }
    }

    @Test
    void aParameterIsReadOnceItsExtensionServesWhichItDoesNotBeforeTheFirstInvocation() throws IOException {
        try (Extension extension = new Extension()) {
            extension.plan(says("one"));
            try (Function function = extension.function(HANDLER, PARAMETER).start()) {
                assertTrue(isOwn(function.invoke("id", "\"e\"")));
                until(function, "one", "\"e\"");
                assertEquals(
                        Map.of(
                                "path",
                                "/systemsmanager/parameters/get?name=%2Ffaults%2Fcheckout&withDecryption=true",
                                "token",
                                "token+/="),
                        extension.asked().get(0));
                assertEquals(List.of(), reasons(function));
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "silent," + APPCONFIG,
        "slow," + APPCONFIG,
        "failing," + APPCONFIG,
        "garbage," + APPCONFIG,
        "short," + APPCONFIG,
        "large," + APPCONFIG,
        "closing," + APPCONFIG,
        "gone," + APPCONFIG,
        "silent," + PARAMETER,
        "init," + PARAMETER,
    })
    void anExtensionInTroubleLeavesTheFunctionAloneAndIsToldOnce(String way, String source) throws IOException {
        try (Extension extension = new Extension()) {
            extension.plan(says("one"));
            extension.become(way);
            try (Function function = extension.function(HANDLER, source).start()) {
                // While somebody waits for it, none of these does.
                for (int i = 0; i < 50; i++) {
                    assertTrue(isOwn(function.invoke("id", "\"e\"")));
                }
                extension.become("well");
                until(function, "one", "\"e\"");
                untilTold(function, "plan_readable");
                assertEquals(List.of("plan_unreadable", "plan_readable"), reasons(function));
            }
        }
    }

    @Test
    void underOneThatVanishedTheLastPlanStandsUntilItEnds() throws IOException {
        try (Extension extension = new Extension()) {
            extension.plan(says("never"));
            try (Function function = extension.function(HANDLER, APPCONFIG).start()) {
                until(function, "never", "\"e\"");
                // From here on, however long the JVM took to start.
                Instant end = Instant.now().plusSeconds(6);
                extension.plan(says("one").replace("2099-01-01T00:00:00Z", end.toString()));
                until(function, "one", "\"e\"");
                extension.become("gone");
                for (Instant begun = Instant.now(); begun.isBefore(end.plusMillis(200)); begun = Instant.now()) {
                    Function.Outcome outcome = function.invoke("id", "\"e\"");
                    if (begun.isAfter(end)) {
                        assertTrue(isOwn(outcome), outcome::toString);
                    } else if (Instant.now().isBefore(end)) {
                        assertEquals("\"one\"", outcome.body);
                    }
                    pause(20);
                }
                assertEquals(List.of("plan_unreadable"), reasons(function));
            }
        }
    }

    @Test
    void aFileIsReadAgainAlsoWhereThereWasNoneOrNoneThatHolds(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("plan.json");
        try (Function function = Function.of(HANDLER)
                .plan("file:" + file)
                .variable("FAULTLAYER_PLAN_REFRESH_S", "0")
                .start()) {
            assertTrue(isOwn(function.invoke("id", "\"e\"")));
            for (String answer : List.of("one", "two")) {
                Files.writeString(file, says(answer));
                until(function, answer, "\"e\"");
            }
            Files.writeString(file, "{");
            for (int i = 0; i < 20; i++) {
                assertEquals("\"two\"", function.invoke("id", "\"e\"").body);
                pause(10);
            }
            Files.writeString(file, says("three"));
            until(function, "three", "\"e\"");
            untilTold(function, "plan_readable");
            List<Object> told = reasons(function);
            assertEquals("plan_unreadable", told.get(0));
            assertEquals(List.of("plan_invalid", "plan_readable"), told.subList(told.size() - 2, told.size()));
        }
    }

    @Test
    void faultsInConnectionsThatComeLaterHitThemAndNeverTheReadingItself() throws IOException {
        String none = Plans.plan(List.of());
        Map<String, Object> refuses = fault("it", "network", 1, "effect", "refuse");
        // All of loopback, where the extension is too.
        refuses.put("target", Map.of("host", List.of("127.0.0.1")));
        try (Extension extension = new Extension();
                ServerSocket server = new ServerSocket(0, 1000, InetAddress.getByName("127.0.0.1"))) {
            extension.plan(none);
            String event = Json.text(Map.of(
                    "way", "socket", "path", "/", "port", server.getLocalPort(), "hit", "it", "patience_ms", 30_000));
            try (Function function =
                    extension.function("shapes.Connecting", APPCONFIG).start()) {
                assertTrue(function.invoke("id", event).body.contains("127.0.0.1:"));
                extension.plan(Plans.plan(List.of(refuses)));
                untilHas(function, "ConnectException", event);
                extension.plan(none);
                untilHas(function, "127.0.0.1:", event);
                assertEquals(List.of(), reasons(function));
            }
        }
    }

    @Test
    void of1000PlansUnder16CallersEachCallMeetsOneAndLimitsAreExact() throws Exception {
        int callers = 16;
        int limit = 400;
        AtomicInteger answered = new AtomicInteger();
        AtomicBoolean over = new AtomicBoolean();
        ExecutorService calling = Executors.newFixedThreadPool(callers);
        try (Extension extension = new Extension()) {
            extension.plan(numbered(1, limit));
            try (Function function = extension
                    .function("shapes.MapHandler", APPCONFIG)
                    .variable("AWS_LAMBDA_MAX_CONCURRENCY", Integer.toString(callers))
                    .start()) {
                List<Future<?>> running = new ArrayList<>();
                for (int caller = 0; caller < callers; caller++) {
                    String name = caller + "-";
                    running.add(calling.submit(() -> {
                        for (int n = 0; !over.get() || n < limit / 4; n++) {
                            function.invoke(name + n, "{}");
                            answered.incrementAndGet();
                        }
                    }));
                }
                for (int number = 2; number <= 1000; number++) {
                    int seen = answered.get();
                    extension.plan(numbered(number, limit));
                    // However threads are scheduled, somebody calls before the next plan.
                    while (answered.get() == seen) {
                        pause(1);
                    }
                }
                over.set(true);
                for (Future<?> each : running) {
                    each.get();
                }
                Map<Object, List<Map<String, Object>>> met =
                        function.records().stream().collect(Collectors.groupingBy(record -> record.get("requestId")));
                assertEquals(answered.get(), met.size());
                Set<Object> delays = new HashSet<>();
                int limited = 0;
                for (List<Map<String, Object>> hits : met.values()) {
                    List<Object> faults =
                            hits.stream().map(hit -> hit.get("fault")).collect(Collectors.toList());
                    assertTrue(
                            Set.of(List.of("one", "other"), List.of("one", "limited", "other"))
                                    .contains(faults),
                            faults::toString);
                    limited += faults.size() - 2;
                    Set<Object> ofOne =
                            hits.stream().map(hit -> hit.get("delay_ms")).collect(Collectors.toSet());
                    assertEquals(1, ofOne.size(), hits::toString);
                    delays.addAll(ofOne);
                }
                assertTrue(delays.size() > 100, () -> delays.size() + " plans were met");
                assertEquals(limit, limited);
            }
        } finally {
            calling.shutdownNow();
        }
    }

    /** Its faults' delays say which of the plans it is; one of them comes and goes, and comes in another place. */
    private static String numbered(int number, int limit) {
        List<Map<String, Object>> faults = new ArrayList<>();
        faults.add(fault("one", "latency", 1, "delay_ms", number / 1000.0));
        if (number % 3 != 0) {
            faults.add(fault("limited", "latency", 1, "delay_ms", number / 1000.0, "limit", limit));
        }
        faults.add(fault("other", "latency", 1, "delay_ms", number / 1000.0));
        return Plans.plan(faults);
    }

    @Test
    void disabledNobodyIsAsked() throws IOException {
        try (Extension extension = new Extension()) {
            try (Function function = extension
                    .function(HANDLER, APPCONFIG)
                    .variable("FAULTLAYER_DISABLED", "1")
                    .start()) {
                assertTrue(isOwn(function.invoke("id", "\"e\"")));
                assertEquals(List.of(), extension.asked());
                assertEquals(Collections.singletonList("disabled"), reasons(function));
            }
        }
    }
}
