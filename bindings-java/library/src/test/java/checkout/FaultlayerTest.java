package checkout;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import com.amazonaws.services.lambda.runtime.events.APIGatewayV2HTTPEvent;
import com.amazonaws.services.lambda.runtime.events.APIGatewayV2HTTPResponse;
import dev.faultlayer.Fault;
import dev.faultlayer.FaultInjected;
import dev.faultlayer.Faultlayer;
import dev.faultlayer.FaultlayerException;
import dev.faultlayer.Plan;
import dev.faultlayer.PlanException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class FaultlayerTest {
    private static final Checkout.Order ORDER = order("lamp");

    private static Checkout.Order order(String item) {
        Checkout.Order order = new Checkout.Order();
        order.setItem(item);
        return order;
    }

    private static Plan plan(Fault... faults) {
        Plan plan = Plan.experiment("checkout").seed(7).neverExpires();
        for (Fault fault : faults) {
            plan.fault(fault);
        }
        return plan;
    }

    @Test
    void aFaultNeedSayNeitherItsIdNorItsRate() {
        String plan = plan(
                        Fault.disk(1),
                        Fault.disk(2),
                        Fault.timeout().id("disk-3"),
                        Fault.disk(3).rate(0.5))
                .toJson();
        assertTrue(
                plan.contains("{\"id\":\"disk\",\"rate\":1,\"kind\":\"disk\",\"size_mib\":1},"
                        + "{\"id\":\"disk-2\",\"rate\":1,\"kind\":\"disk\",\"size_mib\":2},"
                        + "{\"id\":\"disk-3\",\"rate\":1,\"kind\":\"timeout\"},"
                        + "{\"id\":\"disk-4\",\"rate\":0.5,\"kind\":\"disk\",\"size_mib\":3}"),
                plan);
    }

    @Test
    void nothingDrawnIsTheHandlerItself() {
        Checkout checkout = new Checkout();
        try (Faultlayer faults = Faultlayer.of(plan(Fault.error("boom", 0, IOException.class, "gone")))) {
            assertEquals(
                    "one lamp", faults.wrap(checkout).handleRequest(ORDER, null).getBody());
            assertThrows(
                    IllegalArgumentException.class, () -> faults.wrap(checkout).handleRequest(order(null), null));
            assertEquals(List.of(), faults.records());
        }
    }

    @Test
    void aCheckedErrorIsThrownInTheHandlersPlace() {
        Checkout checkout = new Checkout();
        RequestHandler<Checkout.Order, Checkout.Receipt> handler =
                Faultlayer.wrap(checkout, plan(Fault.error("boom", 1, IOException.class, "gone")));
        IOException thrown = assertThrows(IOException.class, () -> handler.handleRequest(ORDER, null));
        assertEquals("gone", thrown.getMessage());
        assertFalse(
                thrown.getStackTrace()[0].getClassName().startsWith("dev.faultlayer"),
                () -> String.valueOf(thrown.getStackTrace()[0]));
        assertEquals(0, checkout.calls);
    }

    @Test
    void aResponseIsTheHandlersOwnType() {
        Checkout.Receipt receipt = Faultlayer.wrap(new Checkout(), plan(Fault.response("busy", 1, 503, "later")))
                .handleRequest(ORDER, null);
        assertEquals(503, receipt.getStatusCode());
        assertEquals("later", receipt.getBody());

        RequestHandler<APIGatewayV2HTTPEvent, APIGatewayV2HTTPResponse> http = new RequestHandler<>() {
            @Override
            public APIGatewayV2HTTPResponse handleRequest(
                    APIGatewayV2HTTPEvent event, com.amazonaws.services.lambda.runtime.Context context) {
                return null;
            }
        };
        APIGatewayV2HTTPResponse answer = Faultlayer.wrap(
                        http, plan(Fault.response("busy", 1, 503, "later").headers(Map.of("retry-after", "1"))))
                .handleRequest(null, null);
        assertEquals(503, answer.getStatusCode());
        assertEquals("1", answer.getHeaders().get("retry-after"));

        RequestHandler<Object, Object> lambda = (event, context) -> event;
        assertEquals(
                Map.of("any", List.of(1, "x")),
                Faultlayer.wrap(lambda, plan(Fault.payload("odd", 1, Map.of("any", List.of(1, "x")))))
                        .handleRequest("e", null));
    }

    @Test
    void anAnswerThatTheTypeCannotHoldIsSaid() {
        RequestHandler<String, Integer> handler = new RequestHandler<>() {
            @Override
            public Integer handleRequest(String event, com.amazonaws.services.lambda.runtime.Context context) {
                return 1;
            }
        };
        FaultlayerException refused = assertThrows(
                FaultlayerException.class, () -> Faultlayer.wrap(handler, plan(Fault.response("busy", 1, 503, "later")))
                        .handleRequest("e", null));
        assertEquals("answer_type", refused.code());
    }

    @Test
    void corruptChangesTheTextAlone() {
        Checkout.Receipt receipt =
                Faultlayer.wrap(new Checkout(), plan(Fault.corrupt("lies", 1))).handleRequest(ORDER, null);
        assertEquals(200, receipt.getStatusCode());
        assertNotEquals("one lamp", receipt.getBody());
        RequestHandler<String, String> shout = new RequestHandler<>() {
            @Override
            public String handleRequest(String event, com.amazonaws.services.lambda.runtime.Context context) {
                return event + "!";
            }
        };
        assertNotEquals(
                "hello!", Faultlayer.wrap(shout, plan(Fault.corrupt("lies", 1))).handleRequest("hello", null));
    }

    @Test
    void streamsToo() throws IOException {
        RequestStreamHandler copy = (in, out, context) -> out.write(in.readAllBytes());
        try (Faultlayer faults = Faultlayer.of(plan(Fault.response("busy", 0.5, 503, "later")))) {
            RequestStreamHandler handler = faults.wrap(copy);
            boolean busy = false;
            boolean own = false;
            for (int i = 0; i < 50; i++) {
                ByteArrayOutputStream out = new ByteArrayOutputStream();
                handler.handleRequest(
                        new ByteArrayInputStream("{ \"a\" : 1 }".getBytes(StandardCharsets.UTF_8)), out, null);
                busy |= out.toString(StandardCharsets.UTF_8)
                        .equals("{\"statusCode\":503,\"headers\":{},\"body\":\"later\"}");
                own |= out.toString(StandardCharsets.UTF_8).equals("{ \"a\" : 1 }");
            }
            assertTrue(busy && own);
        }
    }

    @Test
    void delaysAndOwnErrorsAndRecords() {
        try (Faultlayer faults = Faultlayer.of(plan(
                Fault.latency("slow", 1, Duration.ofMillis(30)),
                Fault.error("late", 1, "java.io.IOException", "late").after()))) {
            RequestHandler<Checkout.Order, Checkout.Receipt> handler = faults.wrap(new Checkout());
            long start = System.nanoTime();
            assertThrows(IOException.class, () -> handler.handleRequest(ORDER, null));
            assertTrue(System.nanoTime() - start >= 30_000_000);
            assertThrows(IllegalArgumentException.class, () -> handler.handleRequest(order(null), null));
            List<String> records = faults.records();
            assertEquals(4, records.size());
            assertTrue(
                    records.get(0).contains("\"fault\":\"slow\"")
                            && records.get(0).contains("\"coldStart\":true"),
                    records.get(0));
            assertEquals(List.of("slow", "late", "slow"), faults.injected());
            assertTrue(records.get(0).contains("\"requestId\":\"call-1\""), records.get(0));
            assertTrue(records.get(3).contains("\"reason\":\"handler_failed\""), records.get(3));
        }
    }

    @Test
    void aPlanIsReplacedAndClosed() {
        Checkout checkout = new Checkout();
        RequestHandler<Checkout.Order, Checkout.Receipt> handler;
        try (Faultlayer faults = Faultlayer.of(plan(Fault.error("boom", 1, "shop.NotThere", "m")), false)) {
            handler = faults.wrap(checkout);
            assertEquals(
                    "shop.NotThere: m",
                    assertThrows(FaultInjected.class, () -> faults.wrap(checkout)
                                    .handleRequest(ORDER, null))
                            .getMessage());
            faults.replace(plan(Fault.error("boom", 0, "shop.NotThere", "m")));
            assertEquals(200, handler.handleRequest(ORDER, null).getStatusCode());
            assertThrows(PlanException.class, () -> faults.replace("{}"));
            faults.replace(plan(Fault.response("busy", 1, 503, "x")));
            assertEquals(503, handler.handleRequest(ORDER, null).getStatusCode());
        }
        assertEquals(200, handler.handleRequest(ORDER, null).getStatusCode());
        RequestHandler<String, Object> same = (event, context) -> event;
        Object event = "e";
        assertSame(event, Faultlayer.wrap(same, plan()).handleRequest("e", null));
    }

    @Test
    void aPlanThatDoesNotHoldIsRefusedWithAllProblems() {
        PlanException refused = assertThrows(
                PlanException.class,
                () -> Faultlayer.of(plan(
                        Fault.latency("slow", 25, Duration.ofMillis(1)),
                        Fault.error("slow", 1, "x", "m").set("tpye", 1))));
        assertEquals("plan_invalid", refused.code());
        assertEquals("faults[0].rate", refused.path());
        assertTrue(refused.problems().size() >= 3, refused::getMessage);
        assertTrue(refused.getMessage().startsWith("faults[0].rate: "), refused::getMessage);
        assertEquals("faults[0].rate", refused.problems().get(0).path());
        assertEquals(
                "plan_without_expiry",
                assertThrows(
                                PlanException.class,
                                () -> Faultlayer.of(Plan.experiment("x").fault(Fault.timeout("t", 1))))
                        .code());
        assertEquals(
                "plan_unreadable",
                assertThrows(PlanException.class, () -> Faultlayer.of(Path.of("not-there.json")))
                        .code());
    }

    @Test
    void whatTheBuildersWriteHolds() {
        Plan all = plan(
                        Fault.latencyUniform("a", 0.5, Duration.ofMillis(1), Duration.ofMillis(2)),
                        Fault.latencyNormal(
                                "b", 0.5, Duration.ofMillis(1), Duration.ofNanos(500_000), Duration.ofMillis(2)),
                        Fault.latencyPareto("c", 0.5, Duration.ofMillis(1), 1.5, Duration.ofMillis(9)),
                        Fault.latencyPercentiles(
                                "d", 0.5, new TreeMap<>(Map.of(50, Duration.ofMillis(8), 100, Duration.ofMillis(20)))),
                        Fault.exit("e", 0.5, 1).limit(1),
                        Fault.timeout("f", 0.5).after(),
                        Fault.corrupt("g", 0.5, null),
                        Fault.disk("h", 0.5, 1),
                        Fault.memory("i", 0.5, 1),
                        Fault.cpu("j", 0.5, Duration.ofMillis(1), 1).sampledByAttempt())
                .maxInjections(5)
                .deadlineMargin(Duration.ofMillis(10))
                .metrics("Faultlayer")
                .traces()
                .dryRun()
                .expiresIn(Duration.ofMinutes(1));
        try (Faultlayer faults = Faultlayer.of(all)) {
            faults.wrap(new Checkout()).handleRequest(ORDER, null);
        }
    }

    @Test
    void manyThreadsEachMeetTheirOwn() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try (Faultlayer faults = Faultlayer.of(plan(Fault.response("busy", 0.5, 503, "x")))) {
            RequestHandler<Checkout.Order, Checkout.Receipt> handler = faults.wrap(new Checkout());
            List<Future<Integer>> answers = new ArrayList<>();
            for (int i = 0; i < 2000; i++) {
                answers.add(
                        threads.submit(() -> handler.handleRequest(ORDER, null).getStatusCode()));
            }
            int busy = 0;
            for (Future<Integer> answer : answers) {
                busy += answer.get() == 503 ? 1 : 0;
            }
            assertEquals(busy, faults.records().size());
            assertTrue(busy > 800 && busy < 1200, "busy " + busy);
        } finally {
            threads.shutdownNow();
        }
    }

    /** All of a plan's delays are its number; one of its faults comes and goes, and comes in another place. */
    private static Plan numbered(int number, int limit) {
        Duration delay = Duration.ofNanos(number * 1000L);
        Plan plan = plan(Fault.latency("one", 1, delay));
        if (number % 3 != 0) {
            plan.fault(Fault.latency("limited", 1, delay).limit(limit));
        }
        return plan.fault(Fault.latency("other", 1, delay));
    }

    @Test
    void of1000PlansUnder16CallersEachCallMeetsOneAndLimitsAreExact() throws Exception {
        int limit = 400;
        ExecutorService threads = Executors.newFixedThreadPool(16);
        try (Faultlayer faults = Faultlayer.of(numbered(1, limit), false)) {
            RequestHandler<Checkout.Order, Checkout.Receipt> handler = faults.wrap(new Checkout());
            AtomicBoolean over = new AtomicBoolean();
            List<Future<?>> callers = new ArrayList<>();
            for (int caller = 0; caller < 16; caller++) {
                callers.add(threads.submit(() -> {
                    for (int calls = 0; calls < 100 || !over.get(); calls++) {
                        handler.handleRequest(ORDER, null);
                    }
                }));
            }
            for (int number = 2; number <= 1000; number++) {
                faults.replace(numbered(number, limit));
            }
            over.set(true);
            for (Future<?> caller : callers) {
                caller.get();
            }
            Map<String, List<String>> met = new HashMap<>();
            Pattern parts = Pattern.compile("\"fault\":\"(\\w+)\".*\"requestId\":\"([^\"]+)\".*\"delay_ms\":([0-9.]+)");
            for (String record : faults.records()) {
                Matcher found = parts.matcher(record);
                assertTrue(found.find() && record.contains("\"action\":\"injected\""), record);
                met.computeIfAbsent(found.group(2) + " " + found.group(3), name -> new ArrayList<>())
                        .add(found.group(1));
            }
            assertTrue(met.size() >= 1600);
            int limited = 0;
            for (List<String> hits : met.values()) {
                assertTrue(hits.equals(List.of("one", "other")) || hits.equals(List.of("one", "limited", "other")));
                limited += hits.size() - 2;
            }
            assertEquals(limit, limited);
        } finally {
            threads.shutdownNow();
        }
    }
}
