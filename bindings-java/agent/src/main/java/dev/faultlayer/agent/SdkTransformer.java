package dev.faultlayer.agent;

import dev.faultlayer.runtime.Native;
import java.io.FileNotFoundException;
import java.io.InputStream;
import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.security.ProtectionDomain;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.function.Consumer;

/**
 * Waits for the three classes of AWS's SDKs in which an attempt of a call leaves for the HTTP client, and puts what asks first
 * into each. That lives in the SDK's own class loader, and knows this one by the JDK's types alone.
 */
final class SdkTransformer implements ClassFileTransformer {
    /** What every such class has beside it. */
    private static final String SHARED = "Site";

    private static final String ANSWER = "Answer";
    private static final String HOLD = "Hold";

    private final Map<ClassLoader, Set<String>> defined = new WeakHashMap<>();

    /** Looks at calls from now on. */
    static void install(Instrumentation instrumentation) {
        instrumentation.addTransformer(new SdkTransformer());
        Calls.watch(true);
    }

    @Override
    public byte[] transform(
            ClassLoader loader, String name, Class<?> redefined, ProtectionDomain domain, byte[] bytes) {
        if (name == null || redefined != null || loader == null) {
            return null;
        }
        SdkSite site = SdkSite.of(name);
        if (site == null) {
            return null;
        }
        try {
            byte[] changed = site.rewrite(bytes);
            if (changed == null) {
                throw new IllegalStateException(name.concat(" calls its HTTP client in another way than is known"));
            }
            define(loader, SHARED, ANSWER, HOLD);
            define(loader, site.helpers);
            return changed;
        } catch (Throwable trouble) {
            Calls.watch(false);
            Hook.trouble("AWS's SDK could not be hooked", trouble);
            return null;
        }
    }

    /** All are linked here, so that the SDK's own code meets no trouble of theirs later. */
    private synchronized void define(ClassLoader loader, String... names) throws Exception {
        Set<String> there = defined.computeIfAbsent(loader, each -> new HashSet<>());
        List<String> fresh = new ArrayList<>();
        for (String name : names) {
            if (there.add(name)) {
                Native.define(loader, bytes("sdk/".concat(name).concat(".class")));
                fresh.add(name);
            }
        }
        String prefix = SdkSite.PACKAGE.replace('/', '.');
        for (String name : fresh) {
            Class<?> linked = Class.forName(prefix.concat(name), true, loader);
            if (name.equals(SHARED)) {
                Consumer<Throwable> trouble = error -> Hook.trouble("a call to AWS could not be looked at", error);
                linked.getField("waiting").set(null, Calls.WAITING);
                linked.getField("engine").set(null, new Calls());
                linked.getField("trouble").set(null, trouble);
            }
        }
    }

    private static byte[] bytes(String resource) throws Exception {
        try (InputStream in = SdkTransformer.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new FileNotFoundException(resource);
            }
            return in.readAllBytes();
        }
    }
}
