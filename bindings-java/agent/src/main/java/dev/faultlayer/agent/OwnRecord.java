package dev.faultlayer.agent;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashSet;
import java.util.Set;

/** Faultlayer's own record where the engine cannot write it: in the engine's form, once an environment and reason. */
final class OwnRecord {
    private static final Set<String> WRITTEN = new HashSet<>();

    private OwnRecord() {}

    static void trouble(String reason, String message, Throwable trouble) {
        write("ERROR", reason, message.concat(": ").concat(String.valueOf(trouble)));
    }

    static void write(String level, String reason, String message) {
        try {
            synchronized (WRITTEN) {
                if (!WRITTEN.add(reason)) {
                    return;
                }
            }
            StringBuilder line = new StringBuilder(256);
            line.append("{\"timestamp\":\"").append(Instant.now().truncatedTo(ChronoUnit.MILLIS));
            line.append("\",\"level\":\"").append(level);
            line.append("\",\"source\":\"faultlayer\",\"reason\":\"").append(reason);
            line.append("\",\"message\":\"");
            escape(message, line);
            line.append("\"}\n");
            // One write to the descriptor: System.out may be the client's or the function's own by now.
            new FileOutputStream(FileDescriptor.out).write(line.toString().getBytes(StandardCharsets.UTF_8));
        } catch (Throwable ignored) {
            // A record that cannot be written must not become a fault.
        }
    }

    static void escape(String text, StringBuilder line) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                line.append('\\').append(c);
            } else if (c < ' ') {
                line.append("\\u00").append(Character.forDigit(c >> 4, 16)).append(Character.forDigit(c & 15, 16));
            } else {
                line.append(c);
            }
        }
    }
}
