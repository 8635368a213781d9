package dev.faultlayer.agent;

import dev.faultlayer.runtime.SdkHelpers;
import dev.faultlayer.runtime.SdkSite;
import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.security.ProtectionDomain;

/**
 * Waits for the three classes of AWS's SDKs in which an attempt of a call leaves for the HTTP client, and puts what asks first
 * into each.
 */
final class SdkTransformer implements ClassFileTransformer {
    private final SdkHelpers helpers = new SdkHelpers(
            Calls.WAITING,
            Calls.SCOPES,
            new Calls(),
            error -> Hook.trouble("a call to AWS could not be looked at", error));

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
            helpers.define(loader, site);
            return changed;
        } catch (Throwable trouble) {
            Calls.watch(false);
            Hook.trouble("AWS's SDK could not be hooked", trouble);
            return null;
        }
    }
}
