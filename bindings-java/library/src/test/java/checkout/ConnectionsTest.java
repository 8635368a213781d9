package checkout;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.amazonaws.services.lambda.runtime.RequestHandler;
import dev.faultlayer.Fault;
import dev.faultlayer.Faultlayer;
import dev.faultlayer.Plan;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** Connections in tests: the test's own, and a wrapped handler's. */
@EnabledOnOs(value = OS.LINUX, disabledReason = "faults in connections are Linux's alone")
class ConnectionsTest {
    private static ServerSocket server;

    @BeforeAll
    static void listen() throws IOException {
        server = new ServerSocket(0, 50, InetAddress.getByName("127.0.0.1"));
    }

    @AfterAll
    static void end() throws IOException {
        server.close();
    }

    private static void connect() throws IOException {
        new Socket(server.getInetAddress(), server.getLocalPort()).close();
    }

    private static Plan refused() {
        return Plan.experiment("connections")
                .neverExpires()
                .fault(Fault.network(
                                Map.of("host", List.of("127.0.0.1"), "port", List.of(server.getLocalPort())), "refuse")
                        .id("refused"));
    }

    @Test
    void theTestsOwnAreHitUntilThePlanIsClosed() throws IOException {
        connect();
        Faultlayer faults = Faultlayer.of(refused());
        try (faults) {
            assertThrows(ConnectException.class, ConnectionsTest::connect);
        }
        connect();
        assertEquals(List.of("refused"), faults.injected());
    }

    @Test
    void aWrappedHandlersAreItsOwnAndTheTestsAreNot() throws IOException {
        RequestHandler<String, Object> handler = (event, context) -> {
            try {
                connect();
                return "ok";
            } catch (IOException failed) {
                throw new UncheckedIOException(failed);
            }
        };
        RequestHandler<String, Object> wrapped = Faultlayer.wrap(handler, refused());
        UncheckedIOException thrown = assertThrows(UncheckedIOException.class, () -> wrapped.handleRequest("e", null));
        assertEquals(ConnectException.class, thrown.getCause().getClass());
        connect();
        assertEquals("ok", handler.handleRequest("e", null));
    }
}
