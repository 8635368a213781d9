package dev.faultlayer.agent;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;

/**
 * After a snapshot was restored, every environment starts from the same image: the engine takes plan, time and counts
 * anew, so that each one's first invocation is its cold start and each writes its own records. The hook is CRaC, in
 * the form that the runtime client brings or that the JVM has; where neither is there, nothing is registered.
 */
final class SnapStart {
    private static final String[] PACKAGES = {"com.amazonaws.services.lambda.crac.", "org.crac."};

    /** The client holds resources weakly. */
    private static Object registered;

    private SnapStart() {}

    static boolean isOn() {
        return "snap-start".equals(System.getenv("AWS_LAMBDA_INITIALIZATION_TYPE"));
    }

    static void register(ClassLoader loader) {
        if (!isOn()) {
            return;
        }
        for (String prefix : PACKAGES) {
            try {
                Class<?> resource = Class.forName(prefix.concat("Resource"), true, loader);
                Object context = Class.forName(prefix.concat("Core"), true, loader)
                        .getMethod("getGlobalContext")
                        .invoke(null);
                Object ours = Proxy.newProxyInstance(loader, new Class<?>[] {resource}, new Restore());
                Method register =
                        Class.forName(prefix.concat("Context"), true, loader).getMethod("register", resource);
                register.invoke(context, ours);
                registered = ours;
                return;
            } catch (ReflectiveOperationException | LinkageError absent) {
                // The next one.
            } catch (Throwable trouble) {
                Hook.trouble("the restore hook could not be registered", trouble);
                return;
            }
        }
    }

    private static final class Restore implements InvocationHandler {
        @Override
        public Object invoke(Object proxy, Method method, Object[] arguments) {
            switch (method.getName()) {
                case "afterRestore":
                    Hook.restart();
                    Hook.settle();
                    return null;
                case "hashCode":
                    return System.identityHashCode(proxy);
                case "equals":
                    return proxy == arguments[0];
                case "toString":
                    return "Faultlayer";
                default:
                    return null;
            }
        }
    }
}
