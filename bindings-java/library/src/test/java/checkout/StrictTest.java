package checkout;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import dev.faultlayer.Fault;
import dev.faultlayer.FaultInjected;
import dev.faultlayer.Faultlayer;
import dev.faultlayer.NoChanceException;
import dev.faultlayer.Plan;
import dev.faultlayer.junit.Faults;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** A test that passes because no fault was there is told so. */
class StrictTest {
    private static final Checkout.Order ORDER = new Checkout.Order();

    private static Plan plan() {
        return Plan.experiment("strict")
                .fault(Fault.response("busy", 1, 503, "x"))
                .fault(Fault.error("boom", 0.5, IOException.class, "gone").after());
    }

    private static List<String> missed(NoChanceException thrown) {
        assertEquals("no_chance", thrown.code());
        return thrown.missed().stream()
                .map(missed -> missed.fault() + " " + missed.reason())
                .collect(Collectors.toList());
    }

    private static NoChanceException underA(Plan plan, int calls) {
        Faultlayer faults = Faultlayer.of(plan);
        for (int i = 0; i < calls; i++) {
            assertThrows(IllegalArgumentException.class, () -> faults.wrap(new Checkout())
                    .handleRequest(ORDER, null));
        }
        NoChanceException thrown = assertThrows(NoChanceException.class, faults::close);
        // Once is enough.
        faults.close();
        return thrown;
    }

    @Test
    void aScopeWithoutACall() {
        NoChanceException thrown = underA(plan().neverExpires(), 0);
        assertEquals(List.of("busy not_called", "boom not_called"), missed(thrown));
        assertEquals("faults[0]", thrown.path());
        assertEquals(
                "faults[0]: `busy` had no chance to fire: not_called, no handler was called under the plan\n"
                        + "faults[1]: `boom` had no chance to fire: not_called, no handler was called under the plan\n"
                        + "strict = false allows it",
                thrown.getMessage());
    }

    @Test
    void callsOutsideTheWindow() {
        assertEquals(
                List.of("busy expired", "boom expired"),
                missed(underA(plan().expiresAt(Instant.now().minusSeconds(1)), 2)));
        assertEquals(
                List.of("busy not_started", "boom not_started"),
                missed(underA(plan().startsAt(Instant.now().plusSeconds(60)).expiresIn(Duration.ofMinutes(2)), 1)));
    }

    @Test
    void aCallIsAChanceWhateverWasDrawn() {
        Plan never = Plan.experiment("strict")
                .neverExpires()
                .fault(Fault.response("unlikely", 0, 503, "x"))
                .fault(Fault.response("other", 1, 503, "x").matchEvent("{\"item\":[\"chair\"]}"));
        try (Faultlayer faults = Faultlayer.of(never)) {
            assertThrows(IllegalArgumentException.class, () -> faults.wrap(new Checkout())
                    .handleRequest(ORDER, null));
        }
        Faultlayer.of(Plan.experiment("no faults").neverExpires()).close();
    }

    @Test
    void whatTheTestThrewComesFirst() {
        IllegalStateException thrown = assertThrows(IllegalStateException.class, () -> {
            try (Faultlayer faults = Faultlayer.of(plan().neverExpires())) {
                throw new IllegalStateException("the test's own " + faults.records());
            }
        });
        assertTrue(thrown.getSuppressed()[0] instanceof NoChanceException);
    }

    @Test
    void eachPlanOfAScope() {
        Faultlayer faults = Faultlayer.of(plan().neverExpires());
        assertEquals(
                List.of("busy not_called", "boom not_called"),
                missed(assertThrows(NoChanceException.class, () -> faults.replace(plan().neverExpires()))));
        faults.wrap(new Checkout()).handleRequest(ORDER, null);
        faults.close();
    }

    @Test
    void anErrorClassThatIsNotThere() {
        for (Object type :
                List.of("shop.NotThere", "java.lang.StringBuilder", "NoSuchError", Map.of("java", "shop.NotThere"))) {
            Plan plan = Plan.experiment("strict")
                    .neverExpires()
                    .fault(Fault.timeout("fine", 0))
                    .fault(Fault.error("boom", 1, "x", "m").set("type", type));
            NoChanceException thrown = assertThrows(NoChanceException.class, () -> Faultlayer.of(plan));
            assertEquals(List.of("boom unknown_error_type"), missed(thrown));
            assertEquals("faults[1].type", thrown.path());
        }
        Plan others = Plan.experiment("strict")
                .neverExpires()
                .fault(Fault.error("python", 1, "x", "m").set("type", Map.of("python", "OSError")));
        try (Faultlayer faults = Faultlayer.of(others)) {
            assertThrows(FaultInjected.class, () -> faults.wrap(new Checkout()).handleRequest(ORDER, null));
        }
    }

    @Test
    void allOfItWhereItIsAllowed() {
        Plan plan = plan().neverExpires().fault(Fault.error("absent", 1, "shop.NotThere", "m"));
        Faultlayer.of(plan, false).close();
        Faultlayer.of(plan.toJson(), false).close();
    }

    /** Run by the test below, not by itself. */
    @Tag("inner")
    static class Inner {
        private static final String PLAN =
                "{\"version\":1,\"expires_at\":\"never\",\"faults\":[{\"id\":\"busy\",\"kind\":\"response\",\"rate\":1,\"status\":503}]}";
        private static final String ABSENT =
                "{\"version\":1,\"expires_at\":\"never\",\"faults\":[{\"id\":\"boom\",\"kind\":\"error\",\"rate\":1,\"type\":\"shop.NotThere\"}]}";

        @Test
        @Faults(plan = PLAN)
        void called(Faultlayer faults) {
            faults.wrap(new Checkout()).handleRequest(ORDER, null);
        }

        @Test
        @Faults(plan = PLAN)
        void notCalled() {}

        @Test
        @Faults(plan = PLAN, strict = false)
        void notCalledAndAllowed() {}

        @Test
        @Faults(plan = ABSENT)
        void absent() {}

        @Test
        @Faults(plan = PLAN)
        void givenUp() {
            Assumptions.abort("not here");
        }

        @Test
        @Faults(plan = PLAN)
        void failing() {
            throw new IllegalStateException("its own");
        }
    }

    @Test
    void aTestUnderTheExtension() {
        Map<String, String> ends = new TreeMap<>();
        LauncherDiscoveryRequest request = LauncherDiscoveryRequestBuilder.request()
                .selectors(selectClass(Inner.class))
                .build();
        LauncherFactory.create().execute(request, new TestExecutionListener() {
            @Override
            public void executionFinished(TestIdentifier test, TestExecutionResult result) {
                if (test.isTest()) {
                    String thrown = result.getThrowable()
                            .map(error -> error.getMessage().split("\n")[0])
                            .orElse("");
                    ends.put(test.getDisplayName().replaceAll("\\(.*", ""), result.getStatus() + " " + thrown);
                }
            }
        });
        assertEquals(
                Map.of(
                        "called",
                        "SUCCESSFUL ",
                        "notCalled",
                        "FAILED faults[0]: `busy` had no chance to fire: not_called, no handler was called under the plan",
                        "notCalledAndAllowed",
                        "SUCCESSFUL ",
                        "absent",
                        "FAILED faults[0].type: `boom` had no chance to fire: unknown_error_type, expected an error class that takes a message, got `shop.NotThere`",
                        "givenUp",
                        "ABORTED not here",
                        "failing",
                        "FAILED its own"),
                ends);
    }
}
