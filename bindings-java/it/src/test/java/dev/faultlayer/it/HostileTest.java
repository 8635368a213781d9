package dev.faultlayer.it;

import static dev.faultlayer.it.Plans.fault;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** With what it stands on taken away, the agent does what the plan says, or the handler runs, once, and one record says why. */
@Execution(ExecutionMode.CONCURRENT)
class HostileTest {
    private static final List<Map<String, Object>> FAULTS = List.of(
            fault("slow", "latency", Plans.RATE, "delay_ms", 5),
            fault("late", "latency", Plans.RATE, "delay_ms", 5, "when", "after"),
            fault("boom", "error", Plans.RATE, "type", "java.io.IOException", "message", "gone"),
            fault("die", "exit", Plans.RATE, "code", 9),
            fault("own", "error", Plans.RATE, "type", "shapes.UserError", "message", "gone"),
            fault("busy", "response", Plans.RATE, "payload", "busy"),
            fault("swap", "corrupt", Plans.RATE, "body", "an answer that is longer than the handler's own"));

    private static Function.Builder hostile() {
        return Function.of("shapes.Hostile").plan(Plans.plan(FAULTS));
    }

    private static Function.Outcome invoke(Function function, String fault, String event) {
        return function.invoke(Plans.idFor(FAULTS, fault), event);
    }

    private static List<Object> reasons(Function function) {
        return function.records().stream()
                .map(record -> record.get("reason"))
                .filter(reason -> reason != null)
                .collect(Collectors.toList());
    }

    /** What the client needs for an error, it loads with the first one. */
    private static void warm(Function function) {
        assertEquals("error", invoke(function, null, "\"please fail\"").kind);
    }

    private static void assertError(String type, String message, Function.Outcome got) {
        assertEquals("error", got.kind, got::toString);
        Map<String, Object> error = Json.object(got.body);
        assertEquals(type + " " + message, error.get("errorType") + " " + error.get("errorMessage"));
    }

    @Test
    void withAllDescriptorsInUse() throws IOException {
        try (Function function = hostile().descriptors(200).start()) {
            warm(function);
            assertEquals(
                    "response \"call 1\"",
                    invoke(function, null, "\"descriptors\"").toString());
            assertEquals("response \"call 2\"", invoke(function, "slow", "1").toString());
            assertEquals("response \"call 3\"", invoke(function, "late", "1").toString());
            assertError("java.io.IOException", "gone", invoke(function, "boom", "1"));
            // Its class cannot be read any more, unless the JVM has just given a descriptor back: then it is itself.
            Function.Outcome own = invoke(function, "own", "1");
            assertEquals("error", own.kind, own::toString);
            assertTrue(own.body.contains("UserError") && own.body.contains("gone"), own::toString);
            assertEquals("response \"busy\"", invoke(function, "busy", "1").toString());
            assertEquals("response \"call 4\"", invoke(function, null, "1").toString());
            assertTrue(invoke(function, "swap", "1").body.contains("longer"));
            assertEquals("response \"call 6\"", invoke(function, null, "1").toString());
            assertEquals(List.of(), reasons(function));
        }
    }

    @Test
    void withWhatTheJvmLetsBeReplaced() throws IOException {
        try (Function bare = Function.of("shapes.Hostile")
                .noAgent()
                .option("-Djava.security.manager=allow")
                .start()) {
            warm(bare);
            assertEquals(
                    "response \"call 1\"", invoke(bare, null, "\"replace\"").toString());
            assertEquals("response \"call 2\"", invoke(bare, null, "1").toString());
        }
        try (Function function =
                hostile().option("-Djava.security.manager=allow").start()) {
            warm(function);
            assertEquals(
                    "response \"call 1\"", invoke(function, null, "\"replace\"").toString());
            assertEquals("response \"call 2\"", invoke(function, "slow", "1").toString());
            assertEquals("response \"call 3\"", invoke(function, "late", "1").toString());
            // No class may be looked for any more: the handler runs.
            assertEquals("response \"call 4\"", invoke(function, "boom", "1").toString());
            assertEquals("response \"busy\"", invoke(function, "busy", "1").toString());
            assertTrue(invoke(function, "swap", "1").body.contains("longer"));
            // Nor may the JVM be ended.
            assertEquals("response \"call 6\"", invoke(function, "die", "1").toString());
            assertEquals("response \"call 7\"", invoke(function, null, "1").toString());
            assertEquals(List.of("internal_error"), reasons(function));
        }
    }

    private static final List<String> SHORT = List.of("slow", "late", "boom", "busy", "swap");
    private static final List<Integer> SHORT_KIB = List.of(4, 16, 48, 128, 512, 2048);

    static List<Integer> shortKib() {
        return SHORT_KIB;
    }

    /** An event that does without the agent what the fault does. */
    private static String ownEvent(String fault) {
        return fault.equals("boom") ? "\"please fail\"" : "1";
    }

    /** Each amount with some of the faults, dealt in turn, or with all of them: each takes a JVM. */
    @ParameterizedTest
    @MethodSource("shortKib")
    void withMemoryShort(int leftKib) throws IOException {
        String heap = "-Xmx24m";
        String take = "\"memory " + leftKib + "\"";
        List<String> faults = Jdks.dealtTo(SHORT_KIB.indexOf(leftKib), SHORT);
        // Without the agent an invocation is the same whatever is drawn for it.
        Map<String, Function.Outcome> owns = new HashMap<>();
        Set<String> events = faults.stream().map(HostileTest::ownEvent).collect(Collectors.toSet());
        for (String event : events) {
            try (Function bare =
                    Function.of("shapes.Hostile").noAgent().option(heap).start()) {
                warm(bare);
                assertEquals("response \"call 1\"", invoke(bare, null, take).toString());
                owns.put(event, invoke(bare, null, event));
            }
        }
        for (String fault : faults) {
            try (Function function = hostile().option(heap).start()) {
                warm(function);
                assertEquals("response \"call 1\"", invoke(function, null, take).toString());
                Function.Outcome own = owns.get(ownEvent(fault));
                Function.Outcome got = invoke(function, fault, "1");
                if (own.kind.equals("exit")) {
                    // Not even the client goes on.
                    continue;
                }
                boolean injected = reasons(function).isEmpty();
                if (!injected || fault.equals("slow") || fault.equals("late")) {
                    assertEquals("response \"call 2\"", got.toString(), fault);
                }
                assertTrue(
                        reasons(function).size() <= 1 && got.body != null && !got.kind.equals("exit"), got::toString);
            }
        }
    }
}
