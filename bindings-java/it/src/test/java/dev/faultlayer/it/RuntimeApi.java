package dev.faultlayer.it;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;

/** Lambda's Runtime API on a free loopback port, for one JVM with the real client. */
final class RuntimeApi implements AutoCloseable {
    private static final String PREFIX = "/2018-06-01/runtime/";

    /** What the client posted. */
    static final class Answer {
        final boolean ok;
        final byte[] body;
        final String xrayCause;

        Answer(boolean ok, byte[] body, String xrayCause) {
            this.ok = ok;
            this.body = body;
            this.xrayCause = xrayCause;
        }
    }

    /** What the client is given. */
    static final class Invocation {
        final String id;
        final byte[] event;
        final long deadlineMs;
        final Map<String, String> headers;
        final CompletableFuture<Answer> answer = new CompletableFuture<>();

        Invocation(String id, byte[] event, long deadlineMs, Map<String, String> headers) {
            this.id = id;
            this.event = event;
            this.deadlineMs = deadlineMs;
            this.headers = headers;
        }
    }

    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final BlockingQueue<Invocation> waiting = new LinkedBlockingQueue<>();
    private final Map<String, Invocation> running = new ConcurrentHashMap<>();
    final CompletableFuture<String> initError = new CompletableFuture<>();
    final CompletableFuture<Void> restored = new CompletableFuture<>();

    /** Runs when the client asks to be restored from a snapshot. */
    volatile Runnable onRestore = () -> {};

    RuntimeApi() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext(PREFIX, this::serve);
        server.setExecutor(threads);
        server.start();
    }

    String address() {
        return "127.0.0.1:" + server.getAddress().getPort();
    }

    void offer(Invocation invocation) {
        running.put(invocation.id, invocation);
        waiting.add(invocation);
    }

    private void serve(HttpExchange exchange) {
        try {
            String path = exchange.getRequestURI().getPath().substring(PREFIX.length());
            byte[] body = exchange.getRequestBody().readAllBytes();
            if (path.equals("invocation/next")) {
                next(exchange);
            } else if (path.equals("restore/next")) {
                onRestore.run();
                restored.complete(null);
                exchange.sendResponseHeaders(200, -1);
            } else if (path.equals("init/error") || path.equals("restore/error")) {
                initError.complete(new String(body, java.nio.charset.StandardCharsets.UTF_8));
                exchange.sendResponseHeaders(202, -1);
            } else {
                String[] parts = path.split("/");
                String cause = exchange.getRequestHeaders().getFirst("lambda-runtime-function-xray-error-cause");
                Answer answer = new Answer(parts[2].equals("response"), body, cause);
                exchange.sendResponseHeaders(202, -1);
                running.remove(parts[1]).answer.complete(answer);
            }
        } catch (Exception gone) {
            // The JVM was ended, or this server was.
        } finally {
            exchange.close();
        }
    }

    private void next(HttpExchange exchange) throws IOException, InterruptedException {
        Invocation invocation = waiting.take();
        var headers = exchange.getResponseHeaders();
        headers.set("Content-Type", "application/json");
        headers.set("Lambda-Runtime-Aws-Request-Id", invocation.id);
        headers.set("Lambda-Runtime-Deadline-Ms", Long.toString(invocation.deadlineMs));
        headers.set(
                "Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:123456789012:function:shapes:live");
        headers.set("Lambda-Runtime-Trace-Id", "Root=1-5e988a95-3a1b5c2d4e6f708192a3b4c5;Sampled=0");
        invocation.headers.forEach(headers::set);
        exchange.sendResponseHeaders(200, invocation.event.length == 0 ? -1 : invocation.event.length);
        exchange.getResponseBody().write(invocation.event);
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
