package dev.faultlayer.agent;

import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.security.ProtectionDomain;

/**
 * Changes the one class of the runtime client that calls the function. Where it waits for the client, it starts the engine
 * when it sees the client's first class, and takes itself off where nothing can ever fire and when its work is done.
 */
final class ClientTransformer implements ClassFileTransformer {
    /** On Java 17 and later, and in containers. */
    private static final String CLIENT = "com/amazonaws/services/lambda/runtime/api/client/";

    /** On the managed runtimes for Java 8 and 11. */
    private static final String OLDER_CLIENT = "lambdainternal/";

    /** The main class of both. */
    private static final String MAIN = "/AWSLambda";

    private final Instrumentation instrumentation;
    private boolean started;

    /** Known from the load of the client's main class on. */
    private volatile Shape shape;

    private volatile boolean finished;

    /** One that waits for the client. */
    ClientTransformer(Instrumentation instrumentation) {
        this.instrumentation = instrumentation;
    }

    /** Whether a class is a client's main class. */
    static boolean isMain(String className) {
        String name = className.replace('.', '/');
        return name.endsWith(MAIN) && (name.startsWith(CLIENT) || name.startsWith(OLDER_CLIENT));
    }

    /** Does it all for a client that the JVM is about to run. */
    static void install(Instrumentation instrumentation, String main) throws Exception {
        if (!Hook.start(instrumentation)) {
            return;
        }
        Class<?> client = Class.forName(main, false, ClassLoader.getSystemClassLoader());
        ClientTransformer transformer = new ClientTransformer(instrumentation);
        transformer.started = true;
        transformer.findShape(main.replace('.', '/'), client.getProtectionDomain());
        if (transformer.shape != null) {
            instrumentation.addTransformer(transformer);
            Class.forName(transformer.shape.className.replace('/', '.'), false, client.getClassLoader());
            if (!transformer.finished) {
                transformer.unknown("was loaded before it could be instrumented");
            }
        }
    }

    @Override
    public byte[] transform(
            ClassLoader loader, String name, Class<?> redefined, ProtectionDomain domain, byte[] bytes) {
        if (name == null || redefined != null || !(name.startsWith(CLIENT) || name.startsWith(OLDER_CLIENT))) {
            return null;
        }
        try {
            return client(loader, name, domain, bytes);
        } catch (Throwable trouble) {
            Hook.trouble("the runtime client could not be instrumented", trouble);
            finish();
            return null;
        }
    }

    private byte[] client(ClassLoader loader, String name, ProtectionDomain domain, byte[] bytes) throws Exception {
        synchronized (this) {
            if (!started) {
                started = true;
                if (!Hook.start(instrumentation)) {
                    finish();
                    return null;
                }
            }
        }
        if (shape == null) {
            if (!Hook.isActive() || !name.endsWith(MAIN)) {
                return null;
            }
            findShape(name, domain);
            return null;
        }
        if (!name.equals(shape.className)) {
            return null;
        }
        byte[] changed = CallSite.instrument(bytes, shape.method);
        if (changed == null) {
            unknown("calls the handler in another way than its own file says");
        } else if (!seesHook(loader)) {
            unknown("has a class loader that does not see the agent");
            changed = null;
        } else {
            SnapStart.register(loader);
            finish();
        }
        return changed;
    }

    private void findShape(String main, ProtectionDomain domain) throws Exception {
        shape = Shape.find(main.startsWith(CLIENT) ? CLIENT : OLDER_CLIENT, domain);
        if (shape == null) {
            unknown("has no place that calls the handler in a known way");
        }
    }

    private void unknown(String why) {
        Hook.unknownClient("the runtime client ".concat(why).concat(", no faults will be injected"));
        finish();
    }

    private static boolean seesHook(ClassLoader loader) {
        try {
            return loader != null && loader.loadClass(Hook.class.getName()) == Hook.class;
        } catch (ClassNotFoundException absent) {
            return false;
        }
    }

    private void finish() {
        Hook.settle();
        finished = true;
        instrumentation.removeTransformer(this);
    }
}
