package dev.faultlayer.agent;

import java.util.ArrayList;
import java.util.List;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.commons.AnalyzerAdapter;

/**
 * Puts the hook around the one call of {@code RequestStreamHandler.handleRequest} in the runtime client. The code goes
 * into the calling method itself, so that no frame of Faultlayer is on the stack while the handler runs:
 *
 * <pre>
 *   injection = Hook.decide(context.getAwsRequestId(), context.getInvokedFunctionArn(), context, in);
 *   if (injection != null) {
 *     do { now = currentTimeMillis(); left = context.getRemainingTimeInMillis(); } while (Hook.asksAgain(now, ++tries));
 *     injection = Hook.before(injection, now, left, out);
 *   }
 *   if (Hook.runs(injection)) {
 *     try { handler.handleRequest(in, out, context); } catch (Throwable t) { throw Hook.failed(injection, t); }
 *     Hook.returned(injection, out);
 *   }
 * </pre>
 */
final class CallSite {
    private static final int API = Opcodes.ASM9;
    private static final String CORE = "com/amazonaws/services/lambda/runtime/";
    private static final String HANDLER = CORE + "RequestStreamHandler";
    private static final String CONTEXT = CORE + "Context";
    private static final String HANDLE = "handleRequest";
    private static final String HANDLE_TYPE = "(Ljava/io/InputStream;Ljava/io/OutputStream;L" + CONTEXT + ";)V";
    private static final String ANSWER = ")Ljava/io/ByteArrayOutputStream;";
    private static final String HOOK = "dev/faultlayer/agent/Hook";
    private static final String INJECTION = "dev/faultlayer/agent/Injection";
    /** What the call of {@code before} takes, the time in two. */
    private static final int MOST_OPERANDS = 5;

    private static final String DECIDE_TYPE =
            "(Ljava/lang/String;Ljava/lang/String;Ljava/lang/Object;Ljava/io/InputStream;)L" + INJECTION + ";";
    private static final String BEFORE_TYPE = "(L" + INJECTION + ";JILjava/io/OutputStream;)L" + INJECTION + ";";

    private CallSite() {}

    /** The method that holds the place, as name and descriptor, or null if there is none or more than one. */
    static String find(byte[] bytes) {
        String[] found = new String[1];
        int[] sites = new int[1];
        new ClassReader(bytes)
                .accept(
                        new ClassVisitor(API) {
                            @Override
                            public MethodVisitor visitMethod(
                                    int access, String name, String type, String generic, String[] thrown) {
                                if (!type.endsWith(ANSWER)) {
                                    return null;
                                }
                                return new MethodVisitor(API) {
                                    @Override
                                    public void visitMethodInsn(
                                            int code, String owner, String method, String methodType, boolean is) {
                                        if (isPlace(code, owner, method, methodType)) {
                                            found[0] = name.concat(type);
                                            sites[0]++;
                                        }
                                    }
                                };
                            }
                        },
                        ClassReader.SKIP_DEBUG | ClassReader.SKIP_FRAMES);
        return sites[0] == 1 ? found[0] : null;
    }

    /** The class with the hook in that method, or null if it has no such place. */
    static byte[] instrument(byte[] bytes, String place) {
        ClassReader reader = new ClassReader(bytes);
        ClassWriter writer = new ClassWriter(reader, 0);
        Instrumenter instrumenter = new Instrumenter(writer, place);
        reader.accept(instrumenter, ClassReader.EXPAND_FRAMES);
        return instrumenter.sites == 1 ? writer.toByteArray() : null;
    }

    private static boolean isPlace(int code, String owner, String method, String type) {
        return code == Opcodes.INVOKEINTERFACE
                && owner.equals(HANDLER)
                && method.equals(HANDLE)
                && type.equals(HANDLE_TYPE);
    }

    private static final class Instrumenter extends ClassVisitor {
        private final String place;
        private String owner;
        private boolean hasFrames;
        int sites;

        Instrumenter(ClassVisitor next, String place) {
            super(API, next);
            this.place = place;
        }

        @Override
        public void visit(int version, int access, String name, String generic, String parent, String[] interfaces) {
            owner = name;
            hasFrames = (version & 0xffff) >= Opcodes.V1_6;
            super.visit(version, access, name, generic, parent, interfaces);
        }

        @Override
        public MethodVisitor visitMethod(int access, String name, String type, String generic, String[] thrown) {
            MethodVisitor next = super.visitMethod(access, name, type, generic, thrown);
            return place.equals(name.concat(type)) ? new Around(this, access, name, type, next) : next;
        }
    }

    /** Rewrites the call; the frames it needs are those of the place, which the analyzer knows. */
    private static final class Around extends AnalyzerAdapter {
        private final Instrumenter parent;
        private final Label start = new Label();
        private final Label end = new Label();
        private final Label caught = new Label();
        private int localsNeeded;

        Around(Instrumenter parent, int access, String name, String type, MethodVisitor next) {
            super(API, parent.owner, access, name, type, next);
            this.parent = parent;
        }

        @Override
        public void visitCode() {
            super.visitCode();
            // First, so that it stands before every handler that the method has around the place already.
            super.visitTryCatchBlock(start, end, caught, "java/lang/Throwable");
        }

        @Override
        public void visitMethodInsn(int code, String owner, String method, String type, boolean isInterface) {
            if (!isPlace(code, owner, method, type)) {
                super.visitMethodInsn(code, owner, method, type, isInterface);
                return;
            }
            if (stack == null || stack.size() != 4) {
                throw new IllegalStateException("the call stands in an expression");
            }
            List<Object> outer = new ArrayList<>(locals);
            Object[] operands = stack.toArray();
            int handler = locals.size();
            int in = handler + 1;
            int out = handler + 2;
            int context = handler + 3;
            int injection = handler + 4;
            int tries = handler + 5;
            int now = handler + 6;
            int left = handler + 8;
            int error = handler + 9;
            localsNeeded = handler + 10;
            for (int slot = context; slot >= handler; slot--) {
                super.visitVarInsn(Opcodes.ASTORE, slot);
            }

            Label decided = new Label();
            askContext(context, "getAwsRequestId", "()Ljava/lang/String;");
            askContext(context, "getInvokedFunctionArn", "()Ljava/lang/String;");
            super.visitVarInsn(Opcodes.ALOAD, context);
            super.visitVarInsn(Opcodes.ALOAD, in);
            invokeStatic(HOOK, "decide", DECIDE_TYPE);
            super.visitVarInsn(Opcodes.ASTORE, injection);
            super.visitVarInsn(Opcodes.ALOAD, injection);
            super.visitJumpInsn(Opcodes.IFNULL, decided);

            List<Object> running = new ArrayList<>(outer);
            running.addAll(List.of(operands));
            running.add(INJECTION);
            super.visitInsn(Opcodes.ICONST_0);
            super.visitVarInsn(Opcodes.ISTORE, tries);
            Label again = new Label();
            super.visitLabel(again);
            List<Object> asking = new ArrayList<>(running);
            asking.add(Opcodes.INTEGER);
            frame(asking, new Object[0]);
            invokeStatic("java/lang/System", "currentTimeMillis", "()J");
            super.visitVarInsn(Opcodes.LSTORE, now);
            askContext(context, "getRemainingTimeInMillis", "()I");
            super.visitVarInsn(Opcodes.ISTORE, left);
            super.visitIincInsn(tries, 1);
            super.visitVarInsn(Opcodes.LLOAD, now);
            super.visitVarInsn(Opcodes.ILOAD, tries);
            invokeStatic(HOOK, "asksAgain", "(JI)Z");
            super.visitJumpInsn(Opcodes.IFNE, again);
            super.visitVarInsn(Opcodes.ALOAD, injection);
            super.visitVarInsn(Opcodes.LLOAD, now);
            super.visitVarInsn(Opcodes.ILOAD, left);
            super.visitVarInsn(Opcodes.ALOAD, out);
            invokeStatic(HOOK, "before", BEFORE_TYPE);
            super.visitVarInsn(Opcodes.ASTORE, injection);

            super.visitLabel(decided);
            frame(running, new Object[0]);
            Label after = new Label();
            super.visitVarInsn(Opcodes.ALOAD, injection);
            invokeStatic(HOOK, "runs", "(L" + INJECTION + ";)Z");
            super.visitJumpInsn(Opcodes.IFEQ, after);

            super.visitLabel(start);
            for (int slot = handler; slot <= context; slot++) {
                super.visitVarInsn(Opcodes.ALOAD, slot);
            }
            super.visitMethodInsn(code, owner, method, type, isInterface);
            super.visitLabel(end);
            super.visitVarInsn(Opcodes.ALOAD, injection);
            super.visitVarInsn(Opcodes.ALOAD, out);
            invokeStatic(HOOK, "returned", "(L" + INJECTION + ";Ljava/io/OutputStream;)V");
            super.visitJumpInsn(Opcodes.GOTO, after);

            super.visitLabel(caught);
            frame(running, new Object[] {"java/lang/Throwable"});
            super.visitVarInsn(Opcodes.ASTORE, error);
            super.visitVarInsn(Opcodes.ALOAD, injection);
            super.visitVarInsn(Opcodes.ALOAD, error);
            invokeStatic(HOOK, "failed", "(L" + INJECTION + ";Ljava/lang/Throwable;)Ljava/lang/Throwable;");
            super.visitInsn(Opcodes.ATHROW);

            super.visitLabel(after);
            frame(outer, new Object[0]);
            // The method may have a frame of its own right here, and two cannot stand at one place.
            super.visitInsn(Opcodes.NOP);
            parent.sites++;
        }

        @Override
        public void visitMaxs(int stackSize, int localCount) {
            super.visitMaxs(Math.max(stackSize, MOST_OPERANDS), Math.max(localCount, localsNeeded));
        }

        private void invokeStatic(String owner, String method, String type) {
            super.visitMethodInsn(Opcodes.INVOKESTATIC, owner, method, type, false);
        }

        private void askContext(int slot, String method, String type) {
            super.visitVarInsn(Opcodes.ALOAD, slot);
            super.visitMethodInsn(Opcodes.INVOKEINTERFACE, CONTEXT, method, type, true);
        }

        /** The analyzer's locals have two entries for a long or a double, a frame has one. */
        private void frame(List<Object> slots, Object[] operands) {
            if (!parent.hasFrames) {
                return;
            }
            List<Object> entries = new ArrayList<>(slots.size());
            for (int i = 0; i < slots.size(); i++) {
                Object entry = slots.get(i);
                entries.add(entry);
                if (entry == Opcodes.LONG || entry == Opcodes.DOUBLE) {
                    i++;
                }
            }
            super.visitFrame(Opcodes.F_NEW, entries.size(), entries.toArray(), operands.length, operands);
        }
    }
}
