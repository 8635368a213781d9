package dev.faultlayer;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Locale;

/** Loads the engine once: from the platform's jar, or from where the system property {@code faultlayer.native} says. */
final class NativeLibrary {
    private static final String PROPERTY = "faultlayer.native";
    private static boolean loaded;

    private NativeLibrary() {}

    static synchronized void load() {
        if (loaded) {
            return;
        }
        String given = System.getProperty(PROPERTY);
        try {
            if (given != null) {
                System.load(new File(given).getAbsolutePath());
            } else {
                unpack(platform());
            }
        } catch (IOException | UnsatisfiedLinkError trouble) {
            throw new FaultlayerException(
                    "native_missing",
                    "",
                    "the native library cannot be loaded: " + trouble.getMessage()
                            + "; add `dev.faultlayer:faultlayer` with the classifier `" + platform()
                            + "` to the test's class path",
                    trouble);
        }
        loaded = true;
    }

    private static void unpack(String platform) throws IOException {
        String name = "dev/faultlayer/native/" + platform + "/libfaultlayer_java.so";
        // By the loader: on the module path the platform's jar is another module than this class's.
        try (InputStream in = NativeLibrary.class.getClassLoader().getResourceAsStream(name)) {
            if (in == null) {
                throw new IOException("no `" + name + "` on the class path");
            }
            // A name of its own: JVMs that start at the same time do not meet.
            Path file = Files.createTempFile("faultlayer-", ".so");
            try {
                Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
                System.load(file.toString());
            } finally {
                // What is loaded stays loaded.
                Files.delete(file);
            }
        }
    }

    private static String platform() {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String architecture = System.getProperty("os.arch");
        return (os.startsWith("mac") ? "darwin" : os) + "-" + (architecture.equals("amd64") ? "x86_64" : architecture);
    }
}
