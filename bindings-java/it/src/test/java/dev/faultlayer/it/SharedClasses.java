package dev.faultlayer.it;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The archive of the client's classes that a JVM maps instead of loading them, as the managed runtimes' do
 * ({@code -XX:SharedArchiveFile=/var/lang/lib/server/runtime.jsa}). The function's own are in none. Half of a start.
 */
final class SharedClasses {
    private static final Path FOLDER = Path.of(System.getProperty("faultlayer.clients"));
    // From JEP 350 on a JVM archives what it has loaded; from 23 on one with an agent takes no archive of one without.
    private static final int FIRST_VERSION = 13;
    private static final int LAST_VERSION = 22;
    private static final Map<String, List<String>> OPTIONS = new HashMap<>();

    /** What a JVM of this JDK is told; its archive is made at its first use, and kept. */
    static synchronized List<String> options(String home) throws IOException {
        if (!OPTIONS.containsKey(home)) {
            OPTIONS.put(home, found(home));
        }
        return OPTIONS.get(home);
    }

    private static List<String> found(String home) throws IOException {
        int version = Jdks.version(home);
        if (version < FIRST_VERSION || version > LAST_VERSION) {
            return List.of();
        }
        // With another release of the JDK, or other files of the client, it is not taken.
        StringBuilder of = new StringBuilder(home).append(Files.readString(Path.of(home, "release")));
        for (Path jar : Client.newest().jars) {
            of.append(jar).append(Files.getLastModifiedTime(jar));
        }
        Path archive =
                FOLDER.resolve("classes-" + Integer.toHexString(of.toString().hashCode()) + ".jsa");
        // A JDK that has no archive of its own makes none upon it.
        return Files.exists(archive) || made(home, archive) ? List.of("-XX:SharedArchiveFile=" + archive) : List.of();
    }

    private static boolean made(String home, Path archive) throws IOException {
        Path partial = Path.of(archive + ".partial");
        Files.deleteIfExists(partial);
        try (Function function = Function.of("shapes.MapHandler")
                .java(home)
                .noAgent()
                .noSharedClasses()
                .option("-XX:ArchiveClassesAtExit=" + partial)
                .start()) {
            function.invoke("1", "{}");
            function.stop();
        }
        if (!Files.exists(partial)) {
            return false;
        }
        Files.move(partial, archive, StandardCopyOption.ATOMIC_MOVE);
        return true;
    }

    private SharedClasses() {}
}
