package dev.faultlayer.agent;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;

/**
 * Faultlayer's own record where the engine, which writes all others, could not be loaded: in the engine's form and by its
 * rules, once. That is before any code of the function's ran, so that descriptor 1 is still the log.
 */
final class OwnRecord extends Thread {
    /** How long a log that nobody reads may hold the function up. */
    private static final long PATIENCE_MS = 50;

    /** With its escapes still what a pipe takes at once. */
    private static final int LONGEST = 600;

    private static boolean written;

    private final byte[] line;

    private OwnRecord(byte[] line) {
        this.line = line;
        setDaemon(true);
    }

    static void trouble(String message, Throwable trouble) {
        try {
            if (isFirst()) {
                OwnRecord record = new OwnRecord(line(message.concat(": ").concat(String.valueOf(trouble))));
                record.start();
                record.join(PATIENCE_MS);
            }
        } catch (Throwable ignored) {
            // A record that cannot be written must not become a fault.
        }
    }

    private static synchronized boolean isFirst() {
        boolean first = !written;
        written = true;
        return first;
    }

    /** In a thread of its own, since a write to a full pipe may never return. */
    @Override
    public void run() {
        // System.out may be somebody else's by now.
        FileOutputStream log = new FileOutputStream(FileDescriptor.out);
        for (long tries = 0; tries < PATIENCE_MS; tries++) {
            try {
                log.write(line);
                return;
            } catch (IOException full) {
                try {
                    // Of a pipe that does not block: all of it was refused, or nothing.
                    Thread.sleep(1);
                } catch (InterruptedException over) {
                    return;
                }
            }
        }
    }

    /** With a line break in front: what was written last may have ended without one. */
    private static byte[] line(String message) {
        StringBuilder line = new StringBuilder(256);
        line.append("\n{\"timestamp\":\"").append(Instant.now().truncatedTo(ChronoUnit.MILLIS));
        line.append("\",\"level\":\"ERROR\",\"source\":\"faultlayer\",\"reason\":\"internal_error\",\"message\":\"");
        escape(message.substring(0, Math.min(message.length(), LONGEST)), line);
        return line.append("\"}\n").toString().getBytes(StandardCharsets.UTF_8);
    }

    /** As JSON, and nothing that acts on a terminal or ends a line. */
    static void escape(String text, StringBuilder line) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                line.append('\\').append(c);
            } else if (Character.isISOControl(c) || c == '\u2028' || c == '\u2029') {
                line.append("\\u");
                for (int shift = 12; shift >= 0; shift -= 4) {
                    line.append(Character.forDigit(c >> shift & 15, 16));
                }
            } else {
                line.append(c);
            }
        }
    }
}
