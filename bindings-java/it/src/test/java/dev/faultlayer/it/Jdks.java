package dev.faultlayer.it;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;

/** The JDKs of this machine, and which of them a test runs on. */
final class Jdks {
    /** Whether each test runs on all of them; otherwise on a choice, dealt in turn. */
    static final boolean EVERY_RUNTIME = System.getenv("FAULTLAYER_EVERY_RUNTIME") != null;

    /** Homes, from the oldest version to the newest; the JVM that runs the tests is always there. */
    static List<String> all() {
        List<String> homes = Arrays.stream(
                        System.getProperty("faultlayer.jdks", "").split(","))
                .filter(pair -> !pair.isEmpty())
                .map(pair -> pair.substring(pair.indexOf('=') + 1))
                .collect(Collectors.toCollection(ArrayList::new));
        homes.add(System.getProperty("java.home"));
        homes.sort(Comparator.comparingInt(Jdks::version));
        return homes;
    }

    /** For the test of that number the oldest or the newest JDK, and one between. */
    static List<String> dealt(int number) {
        List<String> homes = all();
        if (EVERY_RUNTIME || homes.size() < 3) {
            return homes;
        }
        int last = homes.size() - 1;
        return List.of(homes.get(number % 2 * last), homes.get(1 + number % (last - 1)));
    }

    /** Of what is met in a JVM each, the two for the case of that number. */
    static <T> List<T> dealtTo(int number, List<T> things) {
        if (EVERY_RUNTIME) {
            return things;
        }
        int first = number * 2;
        return List.of(things.get(first % things.size()), things.get((first + 1) % things.size()));
    }

    static List<String> ofVersion(int version) {
        return all().stream().filter(home -> version(home) == version).collect(Collectors.toList());
    }

    static int version(String home) {
        try {
            String release = Files.readString(Path.of(home, "release"));
            int begin = release.indexOf("JAVA_VERSION=\"") + "JAVA_VERSION=\"".length();
            return Integer.parseInt(release.substring(begin).split("[.\"]", 2)[0]);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    private Jdks() {}
}
