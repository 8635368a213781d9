package dev.faultlayer.agent;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.security.CodeSource;
import java.security.ProtectionDomain;
import java.util.Enumeration;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * Finds the place in a runtime client that the agent hooks, by what the class does and not by its name alone: a method
 * that returns the answer as {@code ByteArrayOutputStream} and in it calls {@code RequestStreamHandler.handleRequest}
 * once. All handler shapes meet there.
 */
final class Shape {
    /** Where every client so far has it: an anonymous class of this one. */
    private static final String USUAL = "EventHandlerLoader$";

    private static final int USUAL_MOST = 4;

    private static final byte[][] MARKS = {
        ascii("com/amazonaws/services/lambda/runtime/RequestStreamHandler"),
        ascii("java/io/ByteArrayOutputStream"),
        ascii("handleRequest"),
    };

    /** The class that has the place, as a transformer sees it. */
    final String className;

    /** Its method, as name and descriptor. */
    final String method;

    private Shape(String className, String method) {
        this.className = className;
        this.method = method;
    }

    /**
     * Null if no class of the client has it: looked for where it usually is, then everywhere. Read from the client's jar
     * by its path: the class loader has it open already, and its own way to resources would cost as much as all the rest.
     */
    static Shape find(String prefix, ProtectionDomain domain) throws IOException, URISyntaxException {
        CodeSource source = domain == null ? null : domain.getCodeSource();
        URL where = source == null ? null : source.getLocation();
        if (where == null || !where.getProtocol().equals("file")) {
            return null;
        }
        File file = new File(where.toURI());
        return file.isFile() ? inJar(file, prefix) : inFolder(new File(file, prefix), prefix);
    }

    private static Shape inJar(File file, String prefix) throws IOException {
        try (ZipFile jar = new ZipFile(file)) {
            for (int i = 1; i <= USUAL_MOST; i++) {
                ZipEntry entry = jar.getEntry(prefix + USUAL + i + ".class");
                Shape found = entry == null ? null : in(jar, entry);
                if (found != null) {
                    return found;
                }
            }
            for (Enumeration<? extends ZipEntry> entries = jar.entries(); entries.hasMoreElements(); ) {
                ZipEntry entry = entries.nextElement();
                if (entry.getName().startsWith(prefix) && entry.getName().endsWith(".class")) {
                    Shape found = in(jar, entry);
                    if (found != null) {
                        return found;
                    }
                }
            }
        }
        return null;
    }

    private static Shape in(ZipFile jar, ZipEntry entry) throws IOException {
        try (InputStream in = jar.getInputStream(entry)) {
            return in(stem(entry.getName()), in.readAllBytes());
        }
    }

    private static Shape inFolder(File folder, String prefix) throws IOException {
        File[] files = folder.listFiles();
        if (files == null) {
            return null;
        }
        for (File file : files) {
            if (file.getName().endsWith(".class")) {
                Shape found = in(prefix.concat(stem(file.getName())), Files.readAllBytes(file.toPath()));
                if (found != null) {
                    return found;
                }
            }
        }
        return null;
    }

    private static String stem(String file) {
        return file.substring(0, file.length() - ".class".length());
    }

    /** A quick look at the constants first, so that few classes are read in full. */
    private static Shape in(String name, byte[] bytes) {
        for (byte[] mark : MARKS) {
            if (!contains(bytes, mark)) {
                return null;
            }
        }
        String method = CallSite.find(bytes);
        return method == null ? null : new Shape(name, method);
    }

    private static boolean contains(byte[] bytes, byte[] mark) {
        int last = bytes.length - mark.length;
        for (int i = 0; i <= last; i++) {
            int at = 0;
            while (at < mark.length && bytes[i + at] == mark[at]) {
                at++;
            }
            if (at == mark.length) {
                return true;
            }
        }
        return false;
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
