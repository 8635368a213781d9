package shapes;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.security.Permission;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Properties;

/** Takes away what it and everything beside it stand on, as its event says. Answers with the number of its calls. */
public class Hostile implements RequestStreamHandler {
    private static final List<Object> HELD = new ArrayList<>();
    private static final int KIB = 1024;
    private static final List<String> FORBIDDEN =
            List.of("exitVM.9", "accessDeclaredMembers", "suppressAccessChecks", "getClassLoader", "createClassLoader");
    private static int calls;

    @Override
    public void handleRequest(InputStream in, OutputStream out, Context context) throws IOException {
        String event = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        Work.maybeFail(event);
        out.write(("\"call " + ++calls + "\"").getBytes(StandardCharsets.US_ASCII));
        if (event.contains("descriptors")) {
            takeDescriptors();
        } else if (event.contains("memory")) {
            takeMemory(Integer.parseInt(event.replaceAll("\\D", "")));
        } else if (event.contains("replace")) {
            replace();
        }
    }

    private static void takeDescriptors() {
        while (true) {
            try {
                HELD.add(new FileInputStream("/dev/null"));
            } catch (IOException none) {
                return;
            }
        }
    }

    /** All but so many KiB. */
    private static void takeMemory(int leftKib) {
        byte[] left = new byte[leftKib * KIB];
        ((ArrayList<Object>) HELD).ensureCapacity(100_000);
        for (int size = KIB * KIB; size >= KIB; size /= 4) {
            try {
                while (true) {
                    HELD.add(new byte[size]);
                }
            } catch (OutOfMemoryError full) {
                // Smaller pieces still fit.
            }
        }
        left[0] = 1;
    }

    /** What a JVM lets a function replace for all that run in it. */
    private static void replace() {
        System.setOut(new PrintStream(OutputStream.nullOutputStream()));
        Locale.setDefault(new Locale("tr", "TR"));
        System.setProperties(new Properties());
        Thread.currentThread().setContextClassLoader(new ClassLoader(null) {
            @Override
            protected Class<?> loadClass(String name, boolean resolve) {
                throw new IllegalStateException("no class for anybody");
            }
        });
        System.setSecurityManager(new SecurityManager() {
            @Override
            public void checkPermission(Permission permission) {
                if (FORBIDDEN.contains(permission.getName())) {
                    throw new SecurityException("not allowed: " + permission);
                }
            }
        });
    }
}
