package checkout;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.faultlayer.Faultlayer;
import dev.faultlayer.junit.Faults;
import java.io.IOException;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

@Faults("slow-payments.json")
class FaultsExtensionTest {
    private static final String PLAN =
            "{\"version\":1,\"experiment\":\"inline\",\"expires_at\":\"never\",\"faults\":[{\"id\":\"busy\",\"kind\":\"response\",\"rate\":1,\"status\":503}]}";

    private final Checkout.Order order = new Checkout.Order();

    @Test
    void thePlanOfTheClass(Faultlayer faults) {
        IOException thrown = assertThrows(
                IOException.class, () -> faults.wrap(new Checkout()).handleRequest(order, null));
        assertEquals("the card reader is gone", thrown.getMessage());
        assertEquals(1, faults.records().size());
        assertTrue(faults.records().get(0).contains("\"experiment\":\"slow payments\""));
    }

    @Test
    @Faults(plan = PLAN)
    void theTestsOwnStandsBeforeIt(Faultlayer faults) {
        assertEquals(503, faults.wrap(new Checkout()).handleRequest(order, null).getStatusCode());
    }

    @Test
    @Faults("checkout/slow-payments.json")
    void fromTheRootOfTheClassPath(Faultlayer faults) {
        assertThrows(IOException.class, () -> faults.wrap(new Checkout()).handleRequest(order, null));
    }

    @Nested
    class Inside {
        @Test
        void thePlanOfTheClassAround(Faultlayer faults) {
            assertThrows(IOException.class, () -> faults.wrap(new Checkout()).handleRequest(order, null));
        }
    }
}
