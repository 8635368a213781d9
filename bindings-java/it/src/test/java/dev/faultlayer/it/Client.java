package dev.faultlayer.it;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A release of the runtime interface client with the libraries that it names. */
final class Client {
    static final String MAIN = "com.amazonaws.services.lambda.runtime.api.client.AWSLambda";
    private static final Path FOLDER = Path.of(System.getProperty("faultlayer.clients"));

    /** Client, core, serialization. */
    private static final String[][] RELEASES = {
        {"1.0.0", "1.2.0", "1.0.0"}, {"1.1.0", "1.2.0", "1.0.0"}, {"2.0.0", "1.2.0", "1.0.0"},
        {"2.1.0", "1.2.1", "1.0.0"}, {"2.1.1", "1.2.1", "1.0.0"}, {"2.3.1", "1.2.2", "1.1.2"},
        {"2.3.2", "1.2.2", "1.1.2"}, {"2.3.3", "1.2.2", "1.1.2"}, {"2.4.1", "1.2.3", "1.1.2"},
        {"2.4.2", "1.2.3", "1.1.2"}, {"2.5.0", "1.2.3", "1.1.2"}, {"2.5.1", "1.2.3", "1.1.2"},
        {"2.6.0", "1.2.3", "1.1.2"}, {"2.7.0", "1.3.0", "1.1.2"}, {"2.8.7", "1.4.0", "1.1.6"},
        {"2.9.0", "1.4.0", "1.2.0"},
    };

    final String version;
    final List<Path> jars = new ArrayList<>();

    private Client(String[] release) {
        version = release[0];
        add("aws-lambda-java-runtime-interface-client-" + release[0]);
        add("aws-lambda-java-core-" + release[1]);
        add("aws-lambda-java-serialization-" + release[2]);
        // The releases from 2.8 on; the older ones do not look for it.
        add("utils-lite-2.34.0");
    }

    private void add(String name) {
        Path jar = FOLDER.resolve(name + ".jar");
        if (!Files.isRegularFile(jar)) {
            throw new IllegalStateException("not there: " + jar);
        }
        jars.add(jar);
    }

    static Client newest() {
        return new Client(RELEASES[RELEASES.length - 1]);
    }

    static List<Client> all() {
        List<Client> all = new ArrayList<>();
        for (String[] release : RELEASES) {
            all.add(new Client(release));
        }
        return all;
    }

    @Override
    public String toString() {
        return version;
    }
}
