package dev.faultlayer.it;

import static dev.faultlayer.it.Plans.fault;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every handler shape under every fault, beside the same function without the layer. The JVM checks all JNI calls. */
@Execution(ExecutionMode.CONCURRENT)
class MatrixTest {
    private static final double RATE = Plans.RATE;
    private static final String ANSWER = "{\"any\":[1,2.50,\"JSON\"]}";

    private static final List<Map<String, Object>> FAULTS = List.of(
            fault("slow", "latency", RATE, "delay_ms", 30),
            fault("slow_after", "latency", RATE, "delay_ms", 30, "when", "after"),
            fault(
                    "boom",
                    "error",
                    RATE,
                    "type",
                    Map.of("java", "java.io.IOException", "python", "OSError"),
                    "message",
                    "gone"),
            fault("boom_user", "error", RATE, "type", "shapes.UserError", "message", "checked"),
            fault("boom_short", "error", RATE, "type", "IllegalStateException", "message", "short"),
            fault("boom_absent", "error", RATE, "type", "shop.NotThere", "message", "m"),
            fault("boom_no_message", "error", RATE, "type", "shapes.Awkward", "message", "m"),
            fault("boom_refusing", "error", RATE, "type", "shapes.Awkward$Refusing", "message", "m"),
            fault("boom_abstract", "error", RATE, "type", "shapes.Awkward$Abstract", "message", "m"),
            fault("boom_no_error", "error", RATE, "type", "java.lang.StringBuilder", "message", "m"),
            fault("boom_after", "error", RATE, "type", "java.lang.AssertionError", "message", "late", "when", "after"),
            fault(
                    "busy",
                    "response",
                    RATE,
                    "status",
                    503,
                    "headers",
                    Map.of("retry-after", "1"),
                    "body",
                    "b\u00e9 \"x\""),
            fault("odd", "response", RATE, "payload", Json.object(ANSWER)),
            fault("odd_after", "response", RATE, "payload", Json.object(ANSWER), "when", "after"),
            fault("lies", "corrupt", RATE),
            fault("swap", "corrupt", RATE, "body", Json.object(ANSWER)),
            fault("full", "disk", RATE, "size_mib", 1),
            fault("hog", "memory", RATE, "size_mib", 1),
            fault("burn", "cpu", RATE, "duration_ms", 5),
            fault("stall", "timeout", RATE),
            fault("stall_after", "timeout", RATE, "when", "after"),
            fault("die", "exit", RATE, "code", 9),
            fault("die_after", "exit", RATE, "code", 8, "when", "after"));

    static List<Shape> shapes() {
        return Shape.all();
    }

    @ParameterizedTest
    @MethodSource("shapes")
    void everyFault(Shape shape) throws IOException {
        List<String> ids =
                FAULTS.stream().map(fault -> (String) fault.get("id")).collect(Collectors.toList());
        // Each end of the process takes one: a shape meets one of them, dealt in turn, or both.
        boolean early = Jdks.EVERY_RUNTIME || shape.number % 2 == 0;
        String end = early ? "die" : "die_after";
        try (Function bare = Function.of(shape.handler).noAgent().start();
                Function function = Function.of(shape.handler)
                        .plan(Plans.plan(FAULTS))
                        .option("-Xcheck:jni")
                        .start()) {
            List<String> expected = new ArrayList<>();
            String free = Plans.idFor(FAULTS, null);
            Function.Outcome healthy = bare.invoke(free, shape.event);
            assertEquals("response", healthy.kind, healthy::toString);
            assertEquals(healthy.toString(), function.invoke(free, shape.event).toString());
            Function.Outcome failed = bare.invoke(free, shape.failing);
            assertEquals(failed.toString(), function.invoke(free, shape.failing).toString());
            List<String> trace = trace(failed);

            for (String fault : ids) {
                if (fault.startsWith("die")) {
                    continue;
                }
                String id = Plans.idFor(FAULTS, fault);
                long left = fault.startsWith("stall") ? 50 : 30_000;
                Function.Outcome own = bare.invoke(id, shape.event, left);
                long start = System.nanoTime();
                Function.Outcome got = function.invoke(id, shape.event, left);
                check(fault, own, got, TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start));
                if (got.kind.equals("error")) {
                    assertThrownByTheHandler(shape, trace, got);
                }
                expected.add(fault);
            }

            // The handler's own error stands, whatever was to come after it; only a late timeout would be held.
            for (String fault : List.of("boom_after", "odd_after", "lies", "slow_after")) {
                String id = Plans.idFor(FAULTS, fault);
                assertEquals(
                        bare.invoke(id, shape.failing).toString(),
                        function.invoke(id, shape.failing).toString(),
                        fault);
                expected.add(fault);
            }

            assertEquals(end.equals("die") ? 9 : 8, function.invoke(Plans.idFor(FAULTS, end), shape.event).exit);
            expected.add(end);
            assertEquals(
                    expected,
                    function.records().stream()
                            .map(record -> record.get("fault"))
                            .collect(Collectors.toList()));
            assertEquals(List.of(), ourWarnings(function));
        }
        if (!Jdks.EVERY_RUNTIME) {
            return;
        }
        try (Function function =
                Function.of(shape.handler).plan(Plans.plan(FAULTS)).start()) {
            Function.Outcome late = function.invoke(Plans.idFor(FAULTS, "die_after"), shape.event);
            assertEquals(8, late.exit, late::toString);
        }
    }

    private static void check(String fault, Function.Outcome own, Function.Outcome got, long tookMs) {
        switch (fault) {
            case "slow":
            case "slow_after":
                assertTrue(tookMs >= 30, () -> "took " + tookMs + " ms");
                assertEquals(own.toString(), got.toString(), fault);
                break;
            case "full":
            case "hog":
            case "burn":
                assertEquals(own.toString(), got.toString(), fault);
                break;
            case "boom":
                assertError(got, "java.io.IOException", "gone");
                break;
            case "boom_user":
                assertError(got, "shapes.UserError", "checked");
                break;
            case "boom_short":
                assertError(got, "java.lang.IllegalStateException", "short");
                break;
            case "boom_absent":
                assertError(got, "dev.faultlayer.FaultInjected", "shop.NotThere: m");
                break;
            case "boom_no_message":
                assertError(got, "dev.faultlayer.FaultInjected", "shapes.Awkward: m");
                break;
            case "boom_refusing":
                assertError(got, "dev.faultlayer.FaultInjected", "shapes.Awkward$Refusing: m");
                break;
            case "boom_abstract":
                assertError(got, "dev.faultlayer.FaultInjected", "shapes.Awkward$Abstract: m");
                break;
            case "boom_no_error":
                assertError(got, "dev.faultlayer.FaultInjected", "java.lang.StringBuilder: m");
                break;
            case "boom_after":
                assertError(got, "java.lang.AssertionError", "late");
                break;
            case "busy":
                assertEquals(
                        "response {\"statusCode\":503,\"headers\":{\"retry-after\":\"1\"},\"body\":\"b\u00e9 \\\"x\\\"\"}",
                        got.toString());
                break;
            case "odd":
            case "odd_after":
                assertEquals("response {\"any\":[1,2.5,\"JSON\"]}", got.toString(), fault);
                break;
            case "swap":
                assertEquals("response {\"any\":[1,2.5,\"JSON\"]}", got.toString(), fault);
                break;
            case "lies":
                Text text = Text.of(own.body);
                if (text == null) {
                    assertEquals(own.toString(), got.toString(), fault);
                } else {
                    assertEquals("response", got.kind);
                    assertNotEquals(own.body, got.body);
                    assertTrue(
                            got.body.startsWith(text.before) && got.body.endsWith(text.after),
                            () -> own.body + "\n" + got.body);
                    assertNotEquals(null, Text.of(got.body), got.body);
                }
                break;
            case "stall":
            case "stall_after":
                assertTrue(tookMs >= 1000, () -> "took " + tookMs + " ms");
                assertEquals("error", got.kind);
                assertEquals(
                        "dev.faultlayer.FaultInjected", Json.object(got.body).get("errorType"));
                assertTrue(got.body.contains("Task timed out after "), got.body);
                break;
            default:
                throw new IllegalArgumentException(fault);
        }
    }

    private static void assertError(Function.Outcome got, String type, String message) {
        assertEquals("error", got.kind, got::toString);
        Map<String, Object> error = Json.object(got.body);
        assertEquals(type, error.get("errorType"), got::toString);
        assertEquals(message, error.get("errorMessage"));
        assertFalse(got.xrayCause.contains("dev.faultlayer.agent"), got.xrayCause);
    }

    /** The trace is the end of what the handler's own throw has: from its method on. */
    private static void assertThrownByTheHandler(Shape shape, List<String> own, Function.Outcome got) {
        List<String> trace = trace(got);
        assertTrue(trace.size() > 0 && trace.size() <= own.size(), () -> own + " and " + trace);
        assertEquals(own.subList(own.size() - trace.size(), own.size()), trace);
        String method = shape.handler.contains("::") ? shape.handler.replace("::", ".") : ".handleRequest";
        assertTrue(trace.get(0).contains(method + "("), trace::toString);
    }

    /** Without the lines of the function's files: an injected error has its method's first. */
    private static List<String> trace(Function.Outcome error) {
        return ((List<?>) Json.object(error.body).get("stackTrace"))
                .stream()
                        .map(frame -> String.valueOf(frame).replaceAll("(shapes.*):\\d+", "$1"))
                        .collect(Collectors.toList());
    }

    /** What {@code -Xcheck:jni} says about Faultlayer's library; the client's own is the client's business. */
    private static List<String> ourWarnings(Function function) {
        List<String> log = function.log();
        List<String> ours = new ArrayList<>();
        for (int i = 0; i < log.size(); i++) {
            if (log.get(i).contains("JNI") || log.get(i).startsWith("WARNING")) {
                String around = String.join("\n", log.subList(i, Math.min(i + 4, log.size())));
                if (around.contains("dev.faultlayer")) {
                    ours.add(around);
                }
            }
        }
        return ours;
    }
}
