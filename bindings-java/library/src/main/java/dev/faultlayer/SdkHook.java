package dev.faultlayer;

import dev.faultlayer.runtime.Native;
import dev.faultlayer.runtime.SdkHelpers;
import dev.faultlayer.runtime.SdkSite;
import java.util.Collections;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.atomic.AtomicReference;

/** Changes AWS's SDKs where they are on the test's class path, loaded already or not, so that each attempt asks first. */
final class SdkHook {
    private static final SdkHelpers HELPERS =
            new SdkHelpers(Calls.WAITING, new AtomicReference<>(), new Calls(), SdkHook::trouble);

    private static final Set<Class<?>> CHANGED = Collections.newSetFromMap(new WeakHashMap<>());

    private SdkHook() {}

    /**
     * Once for each SDK that the loader finds.
     *
     * @throws FaultlayerException if one is there and cannot be changed
     */
    static synchronized void install(ClassLoader loader) {
        for (SdkSite site : SdkSite.all()) {
            Class<?> place = find(site.className(), loader);
            if (place != null && !CHANGED.contains(place)) {
                change(site, place);
                CHANGED.add(place);
            }
        }
    }

    private static Class<?> find(String name, ClassLoader loader) {
        try {
            return Class.forName(name, false, loader);
        } catch (ClassNotFoundException | LinkageError absent) {
            return null;
        }
    }

    private static void change(SdkSite site, Class<?> place) {
        try {
            byte[] bytes = Native.bytes(place);
            if (bytes == null) {
                throw new IllegalStateException("this JVM does not let classes be changed");
            }
            byte[] changed = site.rewrite(bytes);
            HELPERS.define(place.getClassLoader(), site);
            int problem = Native.redefine(place, changed);
            if (problem != 0) {
                throw new IllegalStateException(place.getName() + " cannot be changed (JVMTI " + problem + ")");
            }
        } catch (Exception | LinkageError trouble) {
            throw new FaultlayerException(
                    "sdk_not_hooked", "", "faults cannot reach AWS's SDK: " + trouble.getMessage(), trouble);
        }
    }

    /** In a test, a call that cannot be looked at fails. */
    private static void trouble(Throwable trouble) {
        if (trouble instanceof FaultlayerException) {
            throw (FaultlayerException) trouble;
        }
        throw new FaultlayerException(
                "internal_error", "", "a call to AWS cannot be looked at: " + trouble.getMessage(), trouble);
    }
}
