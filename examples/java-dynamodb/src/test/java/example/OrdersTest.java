package example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.faultlayer.Fault;
import dev.faultlayer.Faultlayer;
import dev.faultlayer.Plan;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * The function's retries, in a test of its owner's: {@code mvn test} with a DynamoDB that has the table {@code orders} (moto,
 * DynamoDB Local) under {@code AWS_ENDPOINT_URL}. No mock stands for it.
 */
class OrdersTest {
    private final Orders orders = new Orders();

    private static Fault throttle() {
        return Fault.awsCall(Map.of("service", List.of("dynamodb"), "operation", List.of("PutItem")))
                .set("error", "ProvisionedThroughputExceededException");
    }

    private static Faultlayer under(Fault fault) {
        return Faultlayer.of(Plan.experiment("orders").neverExpires().fault(fault));
    }

    @Test
    void oneThrottleIsSurvived() {
        try (Faultlayer faults = under(throttle().set("calls", Map.of("first", 1)))) {
            assertEquals(201, orders.handleRequest(Map.of(), null).get("statusCode"));
            assertEquals(1, faults.injected().size());
        }
    }

    @Test
    void underAThrottleThatLastsTheCallerIsToldToComeAgain() {
        try (Faultlayer faults = under(throttle())) {
            Map<String, Object> answer = orders.handleRequest(Map.of(), null);
            assertEquals(Map.of("statusCode", 503, "body", "ProvisionedThroughputExceededException"), answer);
            assertEquals(3, faults.injected().size());
        }
    }

    @Test
    void aSlowDynamoDbOnlyTakesLonger() {
        Fault slow = Fault.awsCall(Map.of("service", List.of("dynamodb"))).set("delay_ms", 50);
        try (Faultlayer faults = under(slow)) {
            long started = System.nanoTime();
            assertEquals(201, orders.handleRequest(Map.of(), null).get("statusCode"));
            assertTrue(System.nanoTime() - started >= 50_000_000);
            assertEquals(1, faults.injected().size());
        }
    }
}
