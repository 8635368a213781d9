package dev.faultlayer.runtime;

import dev.faultlayer.FaultInjected;
import java.lang.reflect.Constructor;
import java.lang.reflect.Modifier;

/** Makes what an {@code error} or a {@code timeout} throws. */
public final class Faults {
    private Faults() {}

    /** What the engine names where a plan has no class for Java. */
    private static final String OURS = "FaultInjected";

    /**
     * The error of a plan: an instance of the named class, found by {@code loader}; a name without a package is also
     * looked for in {@code java.lang}. Anything that stands in the way makes it {@link FaultInjected}, which is also what
     * the engine names where a plan has no class for Java.
     */
    public static Throwable error(String name, String message, ClassLoader loader) {
        if (name.equals(OURS)) {
            return new FaultInjected(message);
        }
        try {
            Constructor<?> constructor = find(name, loader);
            if (constructor != null) {
                return (Throwable) constructor.newInstance(message);
            }
        } catch (ReflectiveOperationException | LinkageError | RuntimeException refused) {
            // As a class that is not there.
        }
        return new FaultInjected(name.concat(": ").concat(message));
    }

    /** Whether {@link #error} has a class of that name to make. */
    public static boolean isKnown(String name, ClassLoader loader) {
        return name.equals(OURS) || find(name, loader) != null;
    }

    private static Constructor<?> find(String name, ClassLoader loader) {
        Constructor<?> found = named(name, loader);
        return found == null && name.indexOf('.') < 0 ? named("java.lang.".concat(name), loader) : found;
    }

    private static Constructor<?> named(String name, ClassLoader loader) {
        try {
            Class<?> type = Class.forName(name, false, loader);
            if (!Throwable.class.isAssignableFrom(type) || Modifier.isAbstract(type.getModifiers())) {
                return null;
            }
            Constructor<?> constructor = constructor(type);
            return constructor == null || !constructor.trySetAccessible() ? null : constructor;
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
     * was to be called, and puts others there.
     *
     * @param ours the prefix of Faultlayer's class names
     * @param instead what the handler would have put there
     */
    public static <T extends Throwable> T place(T error, String ours, StackTraceElement... instead) {
        StackTraceElement[] trace = error.getStackTrace();
        int drop = 0;
        for (int i = 0; i < trace.length; i++) {
            if (trace[i].getClassName().startsWith(ours)) {
                drop = i + 1;
            } else if (drop > 0) {
                break;
            }
        }
        StackTraceElement[] placed = new StackTraceElement[instead.length + trace.length - drop];
        System.arraycopy(instead, 0, placed, 0, instead.length);
        System.arraycopy(trace, drop, placed, instead.length, trace.length - drop);
        error.setStackTrace(placed);
        return error;
    }

    /** Throws anything, checked or not, as a handler written in Kotlin could. */
    @SuppressWarnings("unchecked")
    public static <T extends Throwable> RuntimeException raise(Throwable error) throws T {
        throw (T) error;
    }
}
