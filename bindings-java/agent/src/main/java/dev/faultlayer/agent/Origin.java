package dev.faultlayer.agent;

import java.io.InputStream;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/**
 * The frames that stand above the client's where the function's handler throws: the handler's own method, with the line at
 * which it begins, and the JDK's, where the client calls it by reflection. The client cuts its own frames and all below
 * them off, so that without these an injected error would come from nowhere.
 */
final class Origin {
    private static final int API = Opcodes.ASM9;
    private static final String SEPARATOR = "::";
    private static final String USUAL = "handleRequest";
    private static final String[] INTERFACES = {
        "com.amazonaws.services.lambda.runtime.RequestHandler",
        "com.amazonaws.services.lambda.runtime.RequestStreamHandler",
    };

    /** Those of this environment's handler, once they were needed. */
    private static volatile StackTraceElement[] known;

    private Origin() {}

    /** Empty for a handler that cannot be found. */
    static StackTraceElement[] frames() {
        StackTraceElement[] found = known;
        if (found == null) {
            found = of(System.getenv("_HANDLER"), Thread.currentThread().getContextClassLoader());
            known = found;
        }
        return found;
    }

    private static StackTraceElement[] of(String handler, ClassLoader loader) {
        try {
            int at = handler.lastIndexOf(SEPARATOR);
            String name = at < 0 ? USUAL : handler.substring(at + SEPARATOR.length());
            Class<?> type = Class.forName(at < 0 ? handler : handler.substring(0, at), false, loader);
            List<StackTraceElement> frames = new ArrayList<>();
            boolean direct = name.equals(USUAL) && isHandler(type);
            Method method = method(type, name, false);
            if (method != null) {
                frames.add(frame(method));
            }
            // The compiler's own method, which takes objects of any class and is what the client calls.
            Method bridge = direct ? method(type, name, true) : null;
            if (bridge != null) {
                frames.add(frame(bridge));
            }
            if (!direct) {
                frames.addAll(reflection());
            }
            return frames.toArray(new StackTraceElement[0]);
        } catch (Exception | LinkageError unknown) {
            return new StackTraceElement[0];
        }
    }

    /** The one with the most parameters, as the client chooses. */
    private static Method method(Class<?> type, String name, boolean bridge) {
        Method found = null;
        for (Method candidate : type.getMethods()) {
            if (candidate.getName().equals(name)
                    && candidate.isBridge() == bridge
                    && (found == null || candidate.getParameterCount() > found.getParameterCount())) {
                found = candidate;
            }
        }
        return found;
    }

    private static boolean isHandler(Class<?> type) {
        for (Class<?> at = type; at != null; at = at.getSuperclass()) {
            for (Class<?> face : at.getInterfaces()) {
                if (face.getName().equals(INTERFACES[0]) || face.getName().equals(INTERFACES[1]) || isHandler(face)) {
                    return true;
                }
            }
        }
        return false;
    }

    /** The frame of a method's first line; without file and line where the class was compiled without them. */
    private static StackTraceElement frame(Method method) throws Exception {
        Class<?> owner = method.getDeclaringClass();
        String descriptor = Type.getMethodDescriptor(method);
        String[] file = new String[1];
        int[] line = {-1};
        ClassLoader loader = owner.getClassLoader();
        try (InputStream in =
                loader.getResourceAsStream(owner.getName().replace('.', '/').concat(".class"))) {
            if (in != null) {
                new ClassReader(in.readAllBytes()).accept(new Lines(method.getName(), descriptor, file, line), 0);
            }
        }
        return new StackTraceElement(owner.getName(), method.getName(), file[0], line[0]);
    }

    private static final class Lines extends ClassVisitor {
        private final String name;
        private final String descriptor;
        private final String[] file;
        private final int[] line;

        Lines(String name, String descriptor, String[] file, int[] line) {
            super(API);
            this.name = name;
            this.descriptor = descriptor;
            this.file = file;
            this.line = line;
        }

        @Override
        public void visitSource(String source, String debug) {
            file[0] = source;
        }

        @Override
        public MethodVisitor visitMethod(int access, String method, String type, String generic, String[] thrown) {
            if (!method.equals(name) || !type.equals(descriptor)) {
                return null;
            }
            return new MethodVisitor(API) {
                @Override
                public void visitLineNumber(int number, Label start) {
                    line[0] = line[0] < 0 ? number : line[0];
                }
            };
        }
    }

    /** The frames that this JDK puts between a method and the one that calls it by reflection. */
    private static List<StackTraceElement> reflection() throws ReflectiveOperationException {
        List<StackTraceElement> between = new ArrayList<>();
        StackTraceElement[] trace =
                ((Throwable) Origin.class.getDeclaredMethod("here").invoke(null)).getStackTrace();
        for (int i = 1; !trace[i].getClassName().equals(Origin.class.getName()); i++) {
            between.add(trace[i]);
        }
        return between;
    }

    static Throwable here() {
        return new Throwable();
    }
}
