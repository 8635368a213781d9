package dev.faultlayer.it;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** What stands in the place of AWS's extensions ({@code tests/live/extension.py}), as a test holds it. */
final class Extension implements AutoCloseable {
    private static final Path SCRIPT = Path.of(System.getProperty("faultlayer.vectors"))
            .resolveSibling("live")
            .resolve("extension.py");

    private final Process process;
    private final BufferedReader answers;
    private final Writer words;
    private final String port;

    Extension() throws IOException {
        process = new ProcessBuilder("python3", SCRIPT.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        answers = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        words = new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8);
        port = answers.readLine();
    }

    /** A function whose plan comes from {@code source}, which every invocation has read anew. */
    Function.Builder function(String handler, String source) {
        return Function.of(handler)
                .plan(source)
                .variable("FAULTLAYER_PLAN_REFRESH_S", "0")
                .variable("AWS_APPCONFIG_EXTENSION_HTTP_PORT", port)
                .variable("PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", port)
                .variable("AWS_SESSION_TOKEN", "token+/=");
    }

    /** What it answers from now on. */
    void plan(String json) {
        say("plan ".concat(json));
    }

    /** How it answers from now on. */
    void become(String way) {
        say(way);
    }

    /** What it was asked so far: {@code path} and {@code token}. */
    @SuppressWarnings("unchecked")
    List<Map<String, Object>> asked() {
        return (List<Map<String, Object>>)
                Json.object("{\"asked\":".concat(say("asked")).concat("}")).get("asked");
    }

    private String say(String line) {
        try {
            words.write(line.concat("\n"));
            words.flush();
            return answers.readLine();
        } catch (IOException gone) {
            throw new UncheckedIOException(gone);
        }
    }

    @Override
    public void close() throws IOException {
        words.close();
        try {
            process.waitFor();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
