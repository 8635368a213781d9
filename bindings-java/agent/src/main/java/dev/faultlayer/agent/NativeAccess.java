package dev.faultlayer.agent;

import java.lang.instrument.Instrumentation;
import java.lang.reflect.Method;
import java.util.Map;
import java.util.Set;

/**
 * Keeps the four warning lines out of the function's log that a JVM from 24 on prints when a class path's class loads a
 * native library. No option can be set for it that JDK 11 understands, so it is switched on from inside; where the JDK's
 * internal method has gone, the warning stays and nothing else changes.
 */
final class NativeAccess {
    private static final int FIRST_TO_WARN = 24;

    private NativeAccess() {}

    static void allow(Instrumentation instrumentation) {
        if (Runtime.version().feature() < FIRST_TO_WARN) {
            return;
        }
        try {
            Module ours = NativeAccess.class.getModule();
            instrumentation.redefineModule(
                    Object.class.getModule(),
                    Set.of(),
                    Map.of(),
                    Map.of("java.lang", Set.of(ours)),
                    Set.of(),
                    Map.of());
            Method enable = Module.class.getDeclaredMethod("implAddEnableNativeAccessToAllUnnamed");
            enable.setAccessible(true);
            enable.invoke(null);
        } catch (Throwable gone) {
            // Only a warning is at stake.
        }
    }
}
