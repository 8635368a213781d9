package dev.faultlayer.runtime;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiFunction;
import java.util.function.Consumer;

/**
 * What the changed classes of AWS's SDKs ask, in the SDK's own class loader, which has the classes that it is made of. It
 * knows this loader's side by the JDK's types alone.
 */
public final class SdkHelpers {
    /** What every such class has beside it. */
    private static final String SHARED = "Site";

    private static final String ANSWER = "Answer";
    private static final String HOLD = "Hold";

    private final Map<ClassLoader, Set<String>> there = new WeakHashMap<>();
    private final AtomicInteger waiting;
    private final AtomicReference<String[]> scopes;
    private final BiFunction<Object, byte[], byte[]> engine;
    private final Consumer<Throwable> trouble;

    /**
     * @param waiting how many invocations wait for calls
     * @param scopes {@link Native#scopes} of all of them, one after another; null where some cannot tell
     * @param engine what the SDK knows a call by or null, and what {@link Native#met} is told; what it answers
     * @param trouble takes what went wrong on Faultlayer's side
     */
    public SdkHelpers(
            AtomicInteger waiting,
            AtomicReference<String[]> scopes,
            BiFunction<Object, byte[], byte[]> engine,
            Consumer<Throwable> trouble) {
        this.waiting = waiting;
        this.scopes = scopes;
        this.engine = engine;
        this.trouble = trouble;
    }

    /** Puts there what a place needs. All is linked here, so that the SDK's own code meets no trouble of it later. */
    public synchronized void define(ClassLoader loader, SdkSite site) throws IOException, ReflectiveOperationException {
        define(loader, SHARED, ANSWER, HOLD);
        define(loader, site.helpers);
    }

    private void define(ClassLoader loader, String... names) throws IOException, ReflectiveOperationException {
        Set<String> known = there.computeIfAbsent(loader, each -> new HashSet<>());
        // A class path that has the SDK beside the library has the helpers, too.
        boolean isBeside = loader == SdkHelpers.class.getClassLoader();
        List<String> fresh = new ArrayList<>();
        for (String name : names) {
            if (known.add(name)) {
                if (!isBeside) {
                    Native.define(loader, bytes("sdk/".concat(name).concat(".class")));
                }
                fresh.add(name);
            }
        }
        for (String name : fresh) {
            Class<?> linked = Class.forName(SdkSite.PACKAGE.concat(name), true, loader);
            if (name.equals(SHARED)) {
                linked.getField("waiting").set(null, waiting);
                linked.getField("scopes").set(null, scopes);
                linked.getField("engine").set(null, engine);
                linked.getField("trouble").set(null, trouble);
            }
        }
    }

    private static byte[] bytes(String resource) throws IOException {
        try (InputStream in = SdkHelpers.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new FileNotFoundException(resource);
            }
            return in.readAllBytes();
        }
    }
}
