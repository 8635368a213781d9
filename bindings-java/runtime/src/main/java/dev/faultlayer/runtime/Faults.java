package dev.faultlayer.runtime;

import dev.faultlayer.FaultInjected;
import java.lang.reflect.Constructor;
import java.lang.reflect.Modifier;

/** Makes what an {@code error} or a {@code timeout} throws. */
public final class Faults {
    private Faults() {}

    /**
     * The error of a plan: an instance of the named class, found by {@code loader}; a name without a package is also
     * looked for in {@code java.lang}. Anything that stands in the way makes it {@link FaultInjected}, which is also what
     * the engine names where a plan has no class for Java.
     */
    public static Throwable error(String name, String message, ClassLoader loader) {
        if (name.equals("FaultInjected")) {
            return new FaultInjected(message);
        }
        Throwable made = named(name, message, loader);
        if (made == null && name.indexOf('.') < 0) {
            made = named("java.lang.".concat(name), message, loader);
        }
        return made != null ? made : new FaultInjected(name.concat(": ").concat(message));
    }

    private static Throwable named(String name, String message, ClassLoader loader) {
        try {
            Class<?> type = Class.forName(name, true, loader);
            if (!Throwable.class.isAssignableFrom(type)) {
                return null;
            }
            Constructor<?> constructor = constructor(type);
            if (constructor == null || !constructor.trySetAccessible()) {
                return null;
            }
            return (Throwable) constructor.newInstance(message);
        } catch (ReflectiveOperationException | LinkageError | RuntimeException absent) {
            return null;
        }
    }

    /** The one that takes a message: public ones first, as {@code AssertionError}'s, which says {@code Object}. */
    private static Constructor<?> constructor(Class<?> type) {
        Constructor<?> found = null;
        for (Constructor<?> candidate : type.getDeclaredConstructors()) {
            Class<?>[] parameters = candidate.getParameterTypes();
            if (parameters.length != 1 || !parameters[0].isAssignableFrom(String.class)) {
                continue;
            }
            if (found == null || rank(candidate) > rank(found)) {
                found = candidate;
            }
        }
        return found;
    }

    private static int rank(Constructor<?> constructor) {
        return (Modifier.isPublic(constructor.getModifiers()) ? 2 : 0)
                + (constructor.getParameterTypes()[0] == String.class ? 1 : 0);
    }

    /**
     * Takes Faultlayer's frames, and what they called, off the top of a stack trace, so that it starts where the handler
     * was to be called.
     *
     * @param ours the prefix of Faultlayer's class names
     */
    public static <T extends Throwable> T strip(T error, String ours) {
        StackTraceElement[] trace = error.getStackTrace();
        int keep = 0;
        for (int i = 0; i < trace.length; i++) {
            if (trace[i].getClassName().startsWith(ours)) {
                keep = i + 1;
            } else if (keep > 0) {
                break;
            }
        }
        if (keep > 0) {
            StackTraceElement[] rest = new StackTraceElement[trace.length - keep];
            System.arraycopy(trace, keep, rest, 0, rest.length);
            error.setStackTrace(rest);
        }
        return error;
    }

    /** Throws anything, checked or not, as a handler written in Kotlin could. */
    @SuppressWarnings("unchecked")
    public static <T extends Throwable> RuntimeException raise(Throwable error) throws T {
        throw (T) error;
    }
}
