package dev.faultlayer.agent;

import dev.faultlayer.runtime.Native;
import dev.faultlayer.runtime.SdkHelpers;
import dev.faultlayer.runtime.SdkSite;
import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.security.ProtectionDomain;
import java.util.function.Consumer;

/**
 * Waits for the three classes of AWS's SDKs in which an attempt of a call leaves for the HTTP client, and puts what asks first
 * into each. It is there from the SDK's first class on: until then the JVM would hand it a copy of every other one's.
 */
final class SdkTransformer implements ClassFileTransformer {
    private final SdkHelpers helpers = new SdkHelpers(Calls.WAITING, Calls.SCOPES, new Calls(), new NotLookedAt());

    /** Looks at calls from now on. */
    static void install(Instrumentation instrumentation) {
        First first = new First(instrumentation);
        if (!Native.atSdk(first)) {
            first.run();
        }
        Calls.watch(true);
    }

    /** The SDK's first class is there. */
    private static final class First implements Runnable {
        private final Instrumentation instrumentation;

        First(Instrumentation instrumentation) {
            this.instrumentation = instrumentation;
        }

        @Override
        public void run() {
            try {
                instrumentation.addTransformer(new SdkTransformer());
            } catch (Throwable trouble) {
                notHooked(trouble);
            }
        }
    }

    /** No lambda, which the JVM may have to prepare much for: it is made while the JVM prepares the SDK's class. */
    private static final class NotLookedAt implements Consumer<Throwable> {
        @Override
        public void accept(Throwable error) {
            Hook.trouble("a call to AWS could not be looked at", error);
        }
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
            helpers.define(loader, site);
            return changed;
        } catch (Throwable trouble) {
            notHooked(trouble);
            return null;
        }
    }

    private static void notHooked(Throwable trouble) {
        Calls.watch(false);
        Hook.trouble("AWS's SDK could not be hooked", trouble);
    }
}
