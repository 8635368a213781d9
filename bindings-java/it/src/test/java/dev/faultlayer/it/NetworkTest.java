package dev.faultlayer.it;

import static dev.faultlayer.it.Plans.fault;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Faults in connections: Java's own clients meet their own errors, and only where a host is named. */
class NetworkTest {
    private static final List<String> EFFECTS = List.of("refuse", "reset", "blackhole", "latency", "dns");

    /** Effect, client, and what it says; over a new connection, or one that was kept. */
    private static final String[][] CASES = {
        {"refuse", "client", "/", "ConnectException"},
        {"refuse", "url", "/", "ConnectException"},
        {"refuse", "socket", "/", "ConnectException.*refused"},
        {"refuse", "channel", "/", "ConnectException.*refused"},
        {"reset", "client", "/", "reset"},
        {"reset", "url", "/", "reset"},
        {"reset", "client", "/kept", "reset"},
        {"blackhole", "client", "/", "Timeout"},
        {"blackhole", "client", "/kept", "Timeout"},
        {"blackhole", "url", "/", "SocketTimeoutException"},
        {"blackhole", "socket", "/", "SocketTimeoutException"},
        {"latency", "client", "/", "ok"},
        {"latency", "client", "/kept", "ok"},
        {"latency", "url", "/", "ok"},
        {"latency", "url", "/kept", "ok"},
        {"dns", "name", "/", "UnknownHostException"},
    };

    private HttpServer server;
    private ExecutorService serving;

    @BeforeEach
    void serve() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0), 0);
        server.createContext("/", exchange -> {
            if (!exchange.getRequestURI().getPath().equals("/kept")) {
                exchange.getResponseHeaders().set("Connection", "close");
            }
            exchange.sendResponseHeaders(200, 2);
            exchange.getResponseBody().write("ok".getBytes());
            exchange.close();
        });
        serving = Executors.newCachedThreadPool();
        server.setExecutor(serving);
        server.start();
    }

    @AfterEach
    void end() {
        server.stop(0);
        serving.shutdownNow();
    }

    private int port() {
        return server.getAddress().getPort();
    }

    private Map<String, Object> when(String effect) {
        Map<String, Object> fault =
                fault(effect, "network", 1, "match", Map.of("event", Map.of("hit", List.of(effect))));
        fault.put("effect", effect);
        // A JVM knows `localhost` by itself.
        fault.put(
                "target",
                effect.equals("dns")
                        ? Map.of("host", List.of("nobody.example"))
                        : Map.of("host", List.of("127.0.0.1"), "port", List.of(port())));
        if (effect.equals("latency")) {
            fault.put("delay_ms", 300);
        }
        return fault;
    }

    private String event(String way, String path, String hit) {
        int patience = hit.equals("blackhole") ? 1000 : 30_000;
        return Json.text(Map.of("way", way, "path", path, "port", port(), "hit", hit, "patience_ms", patience));
    }

    static List<String> jdks() {
        return Jdks.dealt(1);
    }

    @ParameterizedTest
    @MethodSource("jdks")
    void eachClientHasItsOwnErrorInEachJdk(String home) throws IOException {
        List<Map<String, Object>> faults = EFFECTS.stream().map(this::when).collect(Collectors.toList());
        try (Function function = Function.of("shapes.Connecting")
                .java(home)
                .plan(Plans.plan(faults))
                .start()) {
            List<String> wrong = new ArrayList<>();
            int number = 0;
            for (String[] each : CASES) {
                String here = Arrays.toString(each);
                if (!each[1].equals("name")) {
                    String healthy = function.invoke("healthy-" + number, event(each[1], each[2], "nothing")).body;
                    if (!Pattern.compile("ok|127.0.0.1:" + port())
                            .matcher(healthy)
                            .find()) {
                        wrong.add(here + " before: " + healthy);
                    }
                }
                String met = function.invoke("hit-" + number++, event(each[1], each[2], each[0])).body;
                if (!Pattern.compile(each[3]).matcher(met).find()
                        || each[0].equals("latency") && Integer.parseInt(met.substring(1, met.indexOf(' '))) < 300) {
                    wrong.add(here + ": " + met);
                }
            }
            assertEquals(List.of(), wrong);
            Set<String> records = function.records().stream()
                    .map(record -> record.get("fault") + " " + record.get("action"))
                    .collect(Collectors.toCollection(TreeSet::new));
            assertEquals(
                    EFFECTS.stream().map(effect -> effect + " injected").collect(Collectors.toCollection(TreeSet::new)),
                    records);
        }
    }

    @Test
    void aHostThatNobodyCalls() throws IOException {
        Map<String, Object> fault = fault("it", "network", 1, "effect", "refuse");
        fault.put("target", Map.of("host", List.of("nobody.example")));
        try (Function function = Function.of("shapes.Connecting")
                .plan(Plans.plan(List.of(fault)))
                .start()) {
            String met = function.invoke("one", event("client", "/", "nothing")).body;
            assertTrue(met.endsWith(" ok\""), met);
            assertEquals(
                    List.of("no_call"),
                    function.records().stream()
                            .map(record -> record.get("reason"))
                            .collect(Collectors.toList()));
        }
    }
}
