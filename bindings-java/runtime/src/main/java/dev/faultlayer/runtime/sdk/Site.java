package dev.faultlayer.runtime.sdk;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiFunction;
import java.util.function.Consumer;

/** The way from the SDK's class loader to Faultlayer's: by the JDK's types alone. */
public final class Site {
    /** How many invocations wait for calls. */
    public static AtomicInteger waiting;

    /** Scopes and operations in turn, of the signed calls that one of them can hit; null where some cannot tell. */
    public static AtomicReference<String[]> scopes;

    /** What the SDK knows the call by or null, and what is told of the attempt; what it meets. */
    public static BiFunction<Object, byte[], byte[]> engine;

    /** Takes what went wrong on Faultlayer's side. */
    public static Consumer<Throwable> trouble;

    private static final int USUAL = 512;

    private static final String SIGNED = "AWS4-";

    /** What a signature that says first who is called has before its first comma, at the end. */
    private static final String SCOPE = "/aws4_request";

    /** Behind its algorithm, no scope ends before. */
    private static final int SHORTEST = 40;

    private static final String OURS = Site.class.getPackageName().concat(".");

    private Site() {}

    /** Whether nobody waits for calls. */
    static boolean isIdle() {
        return waiting.get() == 0;
    }

    /**
     * Whether a call that is so signed is hit by nobody, whatever else it is: most are told by this. The operation is null or
     * empty where it is not known.
     */
    static boolean isNobodys(String authorization, String operation) {
        String[] wanted = scopes.get();
        if (wanted == null || authorization == null || !authorization.startsWith(SIGNED)) {
            return false;
        }
        int end = authorization.indexOf(',', SHORTEST);
        if (!authorization.startsWith(SCOPE, end - SCOPE.length())) {
            return false;
        }
        boolean isAny = operation == null || operation.isEmpty();
        for (int i = 0; i < wanted.length; i += 2) {
            String scope = wanted[i];
            if (authorization.startsWith(scope, end - scope.length())) {
                String by = wanted[i + 1];
                if (isAny || by.isEmpty() || by.equals(operation)) {
                    return false;
                }
            }
        }
        return true;
    }

    /** Null where the call goes out at once. */
    static Answer ask(Object call, StringBuilder told) {
        byte[] met = engine.apply(call, told.toString().getBytes(StandardCharsets.UTF_8));
        return met == null ? null : Answer.read(met);
    }

    /** The beginning of what is told. */
    static StringBuilder told(String method, String url) {
        return new StringBuilder(USUAL).append(method).append('\n').append(url);
    }

    /** One more line. */
    static void tell(StringBuilder told, String value) {
        told.append('\n');
        if (value != null) {
            told.append(value);
        }
    }

    /** An error as it is without Faultlayer's frames: those of its own classes, and of the JDK's that lead to them. */
    static void clean(Throwable error) {
        for (Throwable each = error; each != null; each = each.getCause()) {
            StackTraceElement[] trace = each.getStackTrace();
            StackTraceElement[] kept = new StackTraceElement[trace.length];
            int count = 0;
            for (StackTraceElement frame : trace) {
                String name = frame.getClassName();
                boolean isOurs = name.startsWith(OURS) || name.contains("$Proxy");
                if (isOurs) {
                    while (count > 0 && isReflection(kept[count - 1].getClassName())) {
                        count--;
                    }
                } else {
                    kept[count++] = frame;
                }
            }
            if (count < trace.length) {
                each.setStackTrace(Arrays.copyOf(kept, count));
            }
        }
    }

    private static boolean isReflection(String name) {
        return name.startsWith("java.lang.reflect.") || name.startsWith("jdk.internal.reflect.");
    }
}
