package dev.faultlayer.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The hook holds in every release of the client. */
class ClientsTest {
    private static final List<Map<String, Object>> FAULTS = List.of(
            Plans.fault("boom", "error", Plans.RATE, "type", "java.io.IOException", "message", "the disk is gone"),
            Plans.fault("busy", "response", Plans.RATE, "status", 503, "body", "busy"));

    static List<Client> clients() {
        return Client.all();
    }

    @ParameterizedTest
    @MethodSource("clients")
    void everyReleaseIsHooked(Client client) throws IOException {
        try (Function function = Function.of("shapes.MapHandler")
                .client(client)
                .plan(Plans.plan(FAULTS))
                .start()) {
            Function.Outcome untouched = function.invoke(Plans.idFor(FAULTS, null), "{\"a\":1}");
            assertEquals("response", untouched.kind, untouched::toString);
            assertTrue(untouched.body.contains("you sent {a=1"), untouched.body);

            Function.Outcome error = function.invoke(Plans.idFor(FAULTS, "boom"), "{\"a\":1}");
            assertEquals("error", error.kind, error::toString);
            assertEquals("java.io.IOException", Json.object(error.body).get("errorType"));
            assertEquals("the disk is gone", Json.object(error.body).get("errorMessage"));
            assertFalse(error.body.contains("faultlayer"), error.body);
            assertFalse(error.xrayCause.contains("dev.faultlayer"), error.xrayCause);

            Function.Outcome busy = function.invoke(Plans.idFor(FAULTS, "busy"), "{\"a\":1}");
            assertEquals("response {\"statusCode\":503,\"headers\":{},\"body\":\"busy\"}", busy.toString());

            assertEquals(
                    List.of("boom", "busy"),
                    function.records().stream()
                            .map(record -> record.get("fault"))
                            .collect(java.util.stream.Collectors.toList()));
        }
    }
}
