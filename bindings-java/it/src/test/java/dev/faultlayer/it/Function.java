package dev.faultlayer.it;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.zip.ZipFile;

/** A function as Lambda runs it: a JVM with the real client, the layer if wanted, and a Runtime API of its own. */
final class Function implements AutoCloseable {
    /** The layer's folder under {@code /opt}, from its archive. */
    static final Path LAYER = Path.of(System.getProperty("faultlayer.layer"));

    private static final long PATIENCE_S = 60;

    /** What a caller got. */
    static final class Outcome {
        /** {@code response}, {@code error} or {@code exit}. */
        final String kind;

        final String body;
        final String xrayCause;
        final int exit;

        Outcome(String kind, String body, String xrayCause, int exit) {
            this.kind = kind;
            this.body = body;
            this.xrayCause = xrayCause;
            this.exit = exit;
        }

        @Override
        public String toString() {
            return kind + " " + (kind.equals("exit") ? exit + "\n" : "") + body;
        }
    }

    static final class Builder {
        private final String handler;
        private Client client = Client.newest();
        private String main = Client.MAIN;
        private String java = System.getProperty("java.home");
        private boolean agent = true;
        private boolean withClient = true;
        private boolean sharedClasses = true;
        private int descriptors;
        private Path fullLog;
        private Runnable restoring = () -> {};
        private final List<String> options = new ArrayList<>();
        private final List<Path> classPath = new ArrayList<>();
        private final Map<String, String> variables = new LinkedHashMap<>();

        private Builder(String handler) {
            this.handler = handler;
        }

        Builder client(Client value) {
            client = value;
            return this;
        }

        Builder main(String value, Path... where) {
            main = value;
            classPath.addAll(List.of(where));
            return this;
        }

        Builder java(String home) {
            java = home;
            return this;
        }

        Builder plan(String plan) {
            variables.put("FAULTLAYER_PLAN", plan);
            return this;
        }

        Builder variable(String name, String value) {
            variables.put(name, value);
            return this;
        }

        Builder option(String... values) {
            options.addAll(List.of(values));
            return this;
        }

        /** The JVM may have so many files open. */
        Builder descriptors(int most) {
            descriptors = most;
            return this;
        }

        /** Its log is a pipe, made here, that nobody reads and that has no room left. */
        Builder fullLog(Path pipe) {
            fullLog = pipe;
            return this;
        }

        /** Nothing of the client on the class path but its libraries. */
        Builder withoutClient() {
            withClient = false;
            return this;
        }

        /** Runs while the JVM waits for the end of its snapshot. */
        Builder onRestore(Runnable action) {
            restoring = action;
            return this;
        }

        Builder noAgent() {
            agent = false;
            return this;
        }

        /** Its JVM loads the client's classes itself. */
        Builder noSharedClasses() {
            sharedClasses = false;
            return this;
        }

        private boolean sharesClasses() {
            boolean newest = client.version.equals(Client.newest().version);
            return sharedClasses && withClient && classPath.isEmpty() && newest;
        }

        Function start() throws IOException {
            return new Function(this);
        }
    }

    static Builder of(String handler) {
        return new Builder(handler);
    }

    private final RuntimeApi api = new RuntimeApi();
    private final Process process;
    private final List<String> log = Collections.synchronizedList(new ArrayList<>());
    private final Thread reader;

    private Function(Builder builder) throws IOException {
        List<String> command = new ArrayList<>();
        if (builder.descriptors > 0) {
            command.addAll(List.of("sh", "-c", "ulimit -n " + builder.descriptors + "; exec \"$@\"", "sh"));
        }
        if (builder.fullLog != null) {
            String fill =
                    "mkfifo \"$0\" && exec 1<>\"$0\" && dd if=/dev/zero bs=65536 count=1 2>/dev/null; exec \"$@\"";
            command.addAll(List.of("sh", "-c", fill, builder.fullLog.toString()));
        }
        command.add(builder.java + "/bin/java");
        // The managed runtimes' own; and the client's library is unpacked to one fixed place unless it is told where it
        // is.
        command.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m", "-Xshare:auto"));
        command.add("-Dcom.amazonaws.services.lambda.runtime.api.client.runtimeapi.NativeClient.JNI="
                + clientLibrary(builder.client));
        // Releases before 2.3.2 need this from Java 17 on.
        command.add("--add-opens=java.base/java.util=ALL-UNNAMED");
        // Else the JVM writes accessors of its own after some calls, which stand in stack traces from then on.
        command.add("-Dsun.reflect.inflationThreshold=2147483647");
        if (builder.sharesClasses()) {
            command.addAll(SharedClasses.options(builder.java));
        }
        command.addAll(builder.options);
        List<Path> path = new ArrayList<>(builder.classPath);
        path.addAll(
                builder.withClient ? builder.client.jars : builder.client.jars.subList(1, builder.client.jars.size()));
        api.onRestore = builder.restoring;
        command.add("-cp");
        command.add(path.stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator)));
        command.add(builder.main);
        command.add(builder.handler);
        ProcessBuilder process = new ProcessBuilder(command)
                .directory(new File(System.getProperty("faultlayer.function")))
                .redirectErrorStream(true);
        Map<String, String> environment = process.environment();
        environment
                .keySet()
                .removeIf(name ->
                        name.startsWith("FAULTLAYER_") || name.startsWith("AWS_") || name.equals("JAVA_TOOL_OPTIONS"));
        environment.put("AWS_LAMBDA_RUNTIME_API", api.address());
        environment.put("AWS_LAMBDA_FUNCTION_NAME", "shapes");
        environment.put("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST");
        environment.put("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512");
        environment.put("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/shapes");
        environment.put("AWS_LAMBDA_LOG_STREAM_NAME", "2026/11/23/[$LATEST]0");
        environment.put("AWS_REGION", "eu-west-1");
        environment.put("AWS_EXECUTION_ENV", "AWS_Lambda_java17");
        environment.put("_HANDLER", builder.handler);
        environment.put("LAMBDA_TASK_ROOT", System.getProperty("faultlayer.function"));
        if (builder.agent) {
            environment.put("JAVA_TOOL_OPTIONS", "-javaagent:" + LAYER.resolve("faultlayer-agent.jar"));
        }
        environment.putAll(builder.variables);
        this.process = process.start();
        reader = new Thread(this::read);
        reader.setDaemon(true);
        reader.start();
    }

    RuntimeApi api() {
        return api;
    }

    RuntimeApi.Invocation submit(String id, String event, Map<String, String> headers, long left) {
        RuntimeApi.Invocation invocation = new RuntimeApi.Invocation(
                id, event.getBytes(StandardCharsets.UTF_8), System.currentTimeMillis() + left, headers);
        api.offer(invocation);
        return invocation;
    }

    Outcome invoke(String id, String event) {
        return outcome(submit(id, event, Map.of(), 30_000));
    }

    Outcome invoke(String id, String event, long leftMs) {
        return outcome(submit(id, event, Map.of(), leftMs));
    }

    Outcome outcome(RuntimeApi.Invocation invocation) {
        process.onExit().thenRun(() -> invocation.answer.complete(null));
        try {
            RuntimeApi.Answer answer = invocation.answer.get(PATIENCE_S, TimeUnit.SECONDS);
            if (answer == null) {
                return new Outcome("exit", String.join("\n", end()), null, process.exitValue());
            }
            String body = new String(answer.body, StandardCharsets.UTF_8);
            return new Outcome(answer.ok ? "response" : "error", body, answer.xrayCause, 0);
        } catch (InterruptedException | ExecutionException | TimeoutException stuck) {
            throw new IllegalStateException("no answer; the log:\n" + String.join("\n", log), stuck);
        }
    }

    /** Has the JVM end as it does by itself, and waits for that. */
    void stop() {
        process.destroy();
        ended();
    }

    /** Waits for a JVM that ends by itself. */
    int ended() {
        try {
            return process.waitFor();
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
    }

    /** All lines so far; complete once the JVM has ended. */
    List<String> log() {
        synchronized (log) {
            return new ArrayList<>(log);
        }
    }

    /** Ends the JVM and gives the whole log. */
    List<String> end() {
        // By its handle: the process's own method closes the pipe with what is still in it.
        process.toHandle().destroyForcibly();
        try {
            process.waitFor();
            reader.join();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        return log();
    }

    List<Map<String, Object>> records() {
        // The client writes a line of its own without its end where it serves several invocations at once.
        return end().stream()
                .filter(line -> line.contains("\"source\":\"faultlayer\""))
                .map(line -> Json.object(line.substring(line.indexOf("{\"timestamp\""))))
                .collect(Collectors.toList());
    }

    @Override
    public void close() {
        end();
        api.close();
    }

    private void read() {
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                log.add(line);
            }
        } catch (IOException gone) {
            // The JVM was ended.
        }
    }

    private static synchronized Path clientLibrary(Client client) throws IOException {
        Path library = Path.of(System.getProperty("faultlayer.clients")).resolve("jni-" + client.version + ".so");
        if (!Files.exists(library)) {
            try (ZipFile jar = new ZipFile(client.jars.get(0).toFile())) {
                var entry = jar.stream()
                        .filter(file -> file.getName().endsWith(".so")
                                && !file.getName().contains("musl")
                                && !file.getName().contains("aarch"))
                        .findFirst()
                        .orElse(null);
                if (entry != null) {
                    Files.copy(jar.getInputStream(entry), library);
                }
            }
        }
        return library;
    }
}
