package dev.faultlayer.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
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

    @Test
    void aSmallJarAndOneForThePlatform(@TempDir Path work) throws IOException, InterruptedException {
        List<Path> jars;
        try (Stream<Path> files = Files.list(FOLDER)) {
            jars = files.filter(file ->
                            file.getFileName().toString().matches("faultlayer-[0-9.]+(-linux-[a-z0-9_]+)?\\.jar"))
                    .sorted()
                    .collect(Collectors.toList());
        }
        Path small = jars.stream()
                .filter(jar -> !jar.toString().contains("linux"))
                .findFirst()
                .orElseThrow();
        assertTrue(Files.size(small) < 100_000, () -> small + " is not small");
        List<Path> natives =
                jars.stream().filter(jar -> jar.toString().contains("linux")).collect(Collectors.toList());
        // Without make nobody puts the library there.
        assumeTrue(!natives.isEmpty());

        Path source = Files.writeString(work.resolve("User.java"), USER);
        List<Path> path = new ArrayList<>(Client.newest().jars);
        path.add(small);
        assertEquals(
                0,
                ToolProvider.getSystemJavaCompiler()
                        .run(null, null, null, "-cp", joined(path), "-d", work.toString(), source.toString()));
        path.add(work);
        String without = run(path);
        assertTrue(
                without.contains("FaultlayerException: the native library cannot be loaded")
                        && without.contains("linux-"),
                without);
        path.addAll(natives);
        assertEquals("from the plan\n", run(path));
    }

    private static String run(List<Path> path) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(System.getProperty("java.home") + "/bin/java", "-cp", joined(path), "User")
                .redirectErrorStream(true)
                .start();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return printed;
    }

    private static String joined(List<Path> path) {
        return path.stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator));
    }
}
