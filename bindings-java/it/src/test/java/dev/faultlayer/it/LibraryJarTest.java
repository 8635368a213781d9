package dev.faultlayer.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The library as it is published: a small jar, and one with the native library for each platform. */
class LibraryJarTest {
    private static final Path FOLDER = Path.of(System.getProperty("faultlayer.library"));
    private static final String USER = "import dev.faultlayer.*;\n"
            + "import com.amazonaws.services.lambda.runtime.RequestHandler;\n"
            + "public class User { public static void main(String[] a) {\n"
            + "  RequestHandler<String, Object> own = (event, context) -> event;\n"
            + "  Plan plan = Plan.experiment(\"jar\").neverExpires().fault(Fault.payload(\"odd\", 1, \"from the plan\"));\n"
            + "  System.out.println(Faultlayer.wrap(own, plan).handleRequest(\"e\", null));\n"
            + "} }\n";

    private static final String CALLER = "import dev.faultlayer.*;\n"
            + "import java.net.URI;\n"
            + "import java.util.*;\n"
            + "import software.amazon.awssdk.auth.credentials.AnonymousCredentialsProvider;\n"
            + "import software.amazon.awssdk.core.exception.SdkException;\n"
            + "import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;\n"
            + "import software.amazon.awssdk.regions.Region;\n"
            + "import software.amazon.awssdk.services.dynamodb.DynamoDbClient;\n"
            + "public class Caller { public static void main(String[] a) {\n"
            + "  DynamoDbClient client = DynamoDbClient.builder().region(Region.EU_WEST_1)\n"
            + "      .endpointOverride(URI.create(\"http://127.0.0.1:1\")).httpClient(UrlConnectionHttpClient.create())\n"
            + "      .credentialsProvider(AnonymousCredentialsProvider.create()).build();\n"
            + "  Plan plan = Plan.experiment(\"jar\").neverExpires().fault(Fault.awsCall(Map.of(\"operation\", List.of(\"ListTables\")))\n"
            + "      .set(\"error\", \"AccessDeniedException\").set(\"calls\", Map.of(\"first\", 1)));\n"
            + "  try (Faultlayer faults = Faultlayer.of(plan)) {\n"
            + "    client.listTables();\n"
            + "  } catch (SdkException met) { System.out.println(met.getMessage().split(\" \\\\(\")[0]); }\n"
            + "} }\n";

    private static List<Path> jars(boolean natives) throws IOException {
        try (Stream<Path> files = Files.list(FOLDER)) {
            return files.filter(file -> file.getFileName()
                            .toString()
                            .matches(
                                    natives ? "faultlayer-[0-9.]+-linux-[a-z0-9_]+\\.jar" : "faultlayer-[0-9.]+\\.jar"))
                    .sorted()
                    .collect(Collectors.toList());
        }
    }

    private static void compile(Path source, Path out, String pathOption, List<Path> path, String... more) {
        List<String> arguments = new ArrayList<>(List.of(pathOption, joined(path), "-d", out.toString()));
        arguments.addAll(List.of(more));
        arguments.add(source.toString());
        assertEquals(0, ToolProvider.getSystemJavaCompiler().run(null, null, null, arguments.toArray(new String[0])));
    }

    @Test
    void aSmallJarAndOneForThePlatform(@TempDir Path work) throws IOException, InterruptedException {
        Path small = jars(false).get(0);
        assertTrue(Files.size(small) < 250_000, () -> small + " is not small");
        // Without make nobody puts the library there.
        List<Path> natives = jars(true);
        assumeTrue(!natives.isEmpty());

        List<Path> path = new ArrayList<>(Client.newest().jars);
        path.add(small);
        compile(Files.writeString(work.resolve("User.java"), USER), work, "-cp", path);
        path.add(work);
        String without = run("-cp", joined(path), "User");
        assertTrue(
                without.contains("FaultlayerException: the native library cannot be loaded")
                        && without.contains("linux-"),
                without);
        path.addAll(natives);
        assertEquals("from the plan\n", run("-cp", joined(path), "User"));
    }

    static List<String> jdks() {
        return Jdks.dealt(0);
    }

    /** By the JVM's own means, without an agent, and with none of the warnings that there are for one. */
    @ParameterizedTest
    @MethodSource("jdks")
    void callsToAwsInEachJdk(String home, @TempDir Path work) throws IOException, InterruptedException {
        List<Path> path = new ArrayList<>(jars(true));
        assumeTrue(!path.isEmpty());
        path.addAll(jars(false));
        path.addAll(Client.newest().jars);
        // The SDK, as this test has it.
        for (String each : System.getProperty("java.class.path").split(File.pathSeparator)) {
            path.add(Path.of(each));
        }
        Path source = Files.writeString(work.resolve("Caller.java"), CALLER);
        compile(source, work, "-cp", path, "--release", "11", "-proc:none");
        path.add(work);
        String printed = runIn(home, "-cp", joined(path), "Caller");
        assertTrue(printed.endsWith("injected by Faultlayer\n"), printed);
        assertFalse(printed.contains("agent"), printed);
    }

    @Test
    void onTheModulePathToo(@TempDir Path work) throws IOException, InterruptedException {
        List<Path> natives = jars(true);
        assumeTrue(!natives.isEmpty());
        Path sources = Files.createDirectories(work.resolve("sources/shop"));
        Path modules = Files.createDirectories(work.resolve("modules"));
        Files.writeString(
                sources.resolveSibling("module-info.java"),
                "module shop { requires dev.faultlayer; requires aws.lambda.java.core; }");
        Path user = Files.writeString(sources.resolve("User.java"), "package shop;\n" + USER);
        List<Path> path = new ArrayList<>(jars(false));
        path.addAll(natives);
        Client.newest().jars.stream()
                .filter(jar ->
                        jar.toString().contains("-core-") || jar.toString().contains("-serialization-"))
                .forEach(path::add);
        compile(
                user,
                modules.resolve("shop"),
                "--module-path",
                path,
                sources.resolveSibling("module-info.java").toString());
        path.add(modules);
        assertEquals("from the plan\n", run("--module-path", joined(path), "-m", "shop/shop.User"));
    }

    private static String run(String... arguments) throws IOException, InterruptedException {
        return runIn(System.getProperty("java.home"), arguments);
    }

    private static String runIn(String home, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(home + "/bin/java", "-XX:TieredStopAtLevel=1"));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return printed;
    }

    private static String joined(List<Path> path) {
        return path.stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator));
    }
}
