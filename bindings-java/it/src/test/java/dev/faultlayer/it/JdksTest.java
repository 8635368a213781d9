package dev.faultlayer.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The agent in each JDK that Lambda has: it loads, stays out of the way, and injects. */
@Execution(ExecutionMode.CONCURRENT)
class JdksTest {
    private static final List<Map<String, Object>> FAULTS = List.of(
            Plans.fault("slow", "latency", Plans.RATE, "delay_ms", 30),
            Plans.fault("boom", "error", Plans.RATE, "type", "java.io.IOException", "message", "gone"),
            Plans.fault("busy", "response", Plans.RATE, "status", 503, "body", "busy"));

    static List<String> jdks() {
        return Jdks.all();
    }

    /** The JVM says where a waiting virtual thread holds its carrier; Java 21 can, and is the one that would. */
    static List<String> jdks21() {
        return Jdks.ofVersion(21);
    }

    @ParameterizedTest
    @MethodSource("jdks21")
    void aHeldFaultDoesNotPinAVirtualThread(String home) throws IOException {
        List<Map<String, Object>> slow = List.of(Plans.fault("slow", "latency", 1, "delay_ms", 20));
        Path classes = Path.of(System.getProperty("faultlayer.function"));
        try (Function function = Function.of("shapes.StreamHandler")
                .java(home)
                .main("lambdainternal.Virtual", classes)
                .plan(Plans.plan(slow))
                .option("-Djdk.tracePinnedThreads=full")
                .start()) {
            assertTrue(function.invoke("1", "{}").body.contains("stream"));
            assertEquals(1, function.records().size());
            assertEquals(
                    List.of(),
                    function.log().stream()
                            .filter(line -> line.contains("dev.faultlayer") && !line.startsWith("{"))
                            .collect(Collectors.toList()));
        }
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void loadsIdlesAndInjects(String home) throws IOException {
        List<Shape> few = Shape.few();
        // One for each JDK, dealt in turn, or all of them: each takes three JVMs.
        Shape one = few.get(Jdks.all().indexOf(home) % few.size());
        for (Shape shape : Jdks.EVERY_RUNTIME ? few : List.of(one)) {
            String free = Plans.idFor(FAULTS, null);
            List<String> bareLog;
            Function.Outcome own;
            try (Function bare = Function.of(shape.handler).java(home).noAgent().start();
                    Function idle = Function.of(shape.handler)
                            .java(home)
                            .variable("FAULTLAYER_DISABLED", "1")
                            .start();
                    Function active = Function.of(shape.handler)
                            .java(home)
                            .plan(Plans.plan(FAULTS))
                            .option("-Xcheck:jni")
                            .start()) {
                own = bare.invoke(free, shape.event);
                assertEquals("response", own.kind, own::toString);
                for (String event : List.of(shape.event, shape.failing)) {
                    assertEquals(
                            bare.invoke(free, event).toString(),
                            idle.invoke(free, event).toString());
                    assertEquals(
                            bare.invoke(free, event).toString(),
                            active.invoke(free, event).toString());
                }
                assertEquals(
                        own.toString(),
                        active.invoke(Plans.idFor(FAULTS, "slow"), shape.event)
                                .toString()
                                .replace(Plans.idFor(FAULTS, "slow"), free));
                Function.Outcome boom = active.invoke(Plans.idFor(FAULTS, "boom"), shape.event);
                assertEquals("java.io.IOException", Json.object(boom.body).get("errorType"), boom::toString);
                assertTrue(active.invoke(Plans.idFor(FAULTS, "busy"), shape.event)
                        .body
                        .startsWith("{\"statusCode\":503,"));

                bareLog = bare.end();
                assertEquals(
                        List.of("disabled"),
                        idle.records().stream()
                                .map(record -> record.get("reason"))
                                .collect(Collectors.toList()));
                assertEquals(3, active.records().size());
                // Nothing but the JVM's line about the option, its own record, and what the client itself says.
                List<String> more = idle.log();
                more.removeIf(line ->
                        line.startsWith("Picked up JAVA_TOOL_OPTIONS") || line.contains("\"source\":\"faultlayer\""));
                more.removeAll(bareLog);
                more.removeIf(line -> line.startsWith("OpenJDK 64-Bit Server VM warning: Sharing is only supported"));
                assertEquals(
                        List.of(),
                        more.stream().filter(line -> !line.contains("shapes.")).collect(Collectors.toList()));
                assertEquals(
                        List.of(),
                        active.log().stream()
                                .filter(line -> line.contains("faultlayer")
                                        && line.contains("WARNING")
                                        && !line.startsWith("{"))
                                .collect(Collectors.toList()));
            }
        }
    }
}
