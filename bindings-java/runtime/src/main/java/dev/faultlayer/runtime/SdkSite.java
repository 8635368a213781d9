package dev.faultlayer.runtime;

import java.util.List;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/**
 * A place in AWS's SDK where an attempt leaves for the HTTP client. In front of it, the client is exchanged for what
 * {@code instead} of the helper answers, which is the client itself but for an attempt that is hit: the call stays the SDK's
 * own, and no frame of Faultlayer's is on its stack.
 */
public final class SdkSite {
    private static final int API = Opcodes.ASM9;

    /** Of the helpers. Either jar has it in a place of its own. */
    static final String PACKAGE = SdkSite.class.getPackageName().concat(".sdk.");

    private static final String STAGES = "software/amazon/awssdk/core/internal/http/pipeline/stages/";
    private static final String CONTEXT = "software/amazon/awssdk/core/internal/http/RequestExecutionContext";
    private static final String HTTP = "software/amazon/awssdk/http/";
    private static final String APACHE = "org/apache/http/";

    private static final SdkSite SYNC = new SdkSite(
            STAGES + "MakeHttpRequestStage",
            HTTP + "SdkHttpClient",
            "prepareRequest",
            "(L" + HTTP + "HttpExecuteRequest;)L" + HTTP + "ExecutableHttpRequest;",
            null,
            "Sync",
            "Sync$Hit",
            "Sync$Held",
            "Facts");

    private static final SdkSite ASYNC = new SdkSite(
            STAGES + "MakeAsyncHttpRequestStage",
            HTTP + "async/SdkAsyncHttpClient",
            "execute",
            "(L" + HTTP + "async/AsyncExecuteRequest;)Ljava/util/concurrent/CompletableFuture;",
            null,
            "Async",
            "Async$Hit",
            "Async$Held",
            "Async$Body",
            "Async$Timer",
            "Facts");

    private static final SdkSite FIRST = new SdkSite(
            "com/amazonaws/http/AmazonHttpClient$RequestExecutor",
            "com/amazonaws/http/apache/client/impl/ConnectionManagerAwareHttpClient",
            "execute",
            "(L" + APACHE + "client/methods/HttpUriRequest;L" + APACHE + "protocol/HttpContext;)L" + APACHE
                    + "HttpResponse;",
            "com/amazonaws/Request",
            "First",
            "First$Hit");

    private final String place;
    private final String client;
    private final String method;
    private final String type;

    /** The type of the field {@code request} that tells more of the call; null where a parameter does. */
    private final String field;

    /** The first one has {@code instead}. */
    final String[] helpers;

    private SdkSite(String place, String client, String method, String type, String field, String... helpers) {
        this.place = place;
        this.client = client;
        this.method = method;
        this.type = type;
        this.field = field;
        this.helpers = helpers;
    }

    /** All of them. */
    public static List<SdkSite> all() {
        return List.of(SYNC, ASYNC, FIRST);
    }

    /** The one in a class, whose name has slashes; null for all others. */
    public static SdkSite of(String className) {
        if (className.endsWith("HttpRequestStage")) {
            return className.equals(SYNC.place) ? SYNC : className.equals(ASYNC.place) ? ASYNC : null;
        }
        return className.equals(FIRST.place) ? FIRST : null;
    }

    /** The name of its class, as a class loader knows it. */
    public String className() {
        return place.replace('/', '.');
    }

    /**
     * The class with the exchange in front of its one such call.
     *
     * @throws IllegalStateException if it has none, or several
     */
    public byte[] rewrite(byte[] bytes) {
        ClassReader reader = new ClassReader(bytes);
        int[] locals = {0};
        int[] sites = {0};
        reader.accept(
                new ClassVisitor(API) {
                    @Override
                    public MethodVisitor visitMethod(
                            int access, String name, String descriptor, String generic, String[] thrown) {
                        return new MethodVisitor(API) {
                            private int own;

                            @Override
                            public void visitMethodInsn(
                                    int code, String owner, String called, String calledType, boolean is) {
                                own += isPlace(owner, called, calledType) ? 1 : 0;
                            }

                            @Override
                            public void visitMaxs(int stack, int most) {
                                sites[0] += own;
                                locals[0] = own > 0 ? most : locals[0];
                            }
                        };
                    }
                },
                ClassReader.SKIP_DEBUG | ClassReader.SKIP_FRAMES);
        if (sites[0] != 1) {
            throw new IllegalStateException(place.concat(" calls its HTTP client in another way than is known"));
        }
        ClassWriter writer = new ClassWriter(reader, ClassWriter.COMPUTE_MAXS);
        reader.accept(new Exchange(writer, locals[0]), 0);
        return writer.toByteArray();
    }

    private boolean isPlace(String owner, String called, String calledType) {
        return owner.equals(client) && called.equals(method) && calledType.equals(type);
    }

    private final class Exchange extends ClassVisitor {
        /** The first free one of the method. */
        private final int local;

        Exchange(ClassWriter writer, int local) {
            super(API, writer);
            this.local = local;
        }

        @Override
        public MethodVisitor visitMethod(int access, String name, String descriptor, String generic, String[] thrown) {
            MethodVisitor code = super.visitMethod(access, name, descriptor, generic, thrown);
            int context = parameter(access, descriptor);
            return new MethodVisitor(API, code) {
                @Override
                public void visitMethodInsn(int opcode, String owner, String called, String calledType, boolean is) {
                    if (isPlace(owner, called, calledType)) {
                        exchange(mv, context, (access & Opcodes.ACC_STATIC) == 0);
                    }
                    super.visitMethodInsn(opcode, owner, called, calledType, is);
                }
            };
        }

        /** On the stack are the client and its arguments; these wait in locals that are nobody's. */
        private void exchange(MethodVisitor code, int context, boolean hasThis) {
            int arguments = Type.getArgumentTypes(type).length;
            for (int i = arguments - 1; i >= 0; i--) {
                code.visitVarInsn(Opcodes.ASTORE, local + i);
            }
            code.visitVarInsn(Opcodes.ALOAD, local);
            if (field != null && hasThis) {
                code.visitVarInsn(Opcodes.ALOAD, 0);
                code.visitFieldInsn(
                        Opcodes.GETFIELD, place, "request", "L".concat(field).concat(";"));
            } else if (field == null && context >= 0) {
                code.visitVarInsn(Opcodes.ALOAD, context);
            } else {
                code.visitInsn(Opcodes.ACONST_NULL);
            }
            String first = Type.getArgumentTypes(type)[0].getDescriptor();
            String own = "L".concat(client).concat(";");
            String answers =
                    "(".concat(own).concat(first).concat("Ljava/lang/Object;)").concat(own);
            String helper = PACKAGE.concat(helpers[0]).replace('.', '/');
            code.visitMethodInsn(Opcodes.INVOKESTATIC, helper, "instead", answers, false);
            for (int i = 0; i < arguments; i++) {
                code.visitVarInsn(Opcodes.ALOAD, local + i);
            }
        }
    }

    /** Where the method has the SDK's context of the call; negative if nowhere. */
    private static int parameter(int access, String descriptor) {
        int at = (access & Opcodes.ACC_STATIC) == 0 ? 1 : 0;
        for (Type type : Type.getArgumentTypes(descriptor)) {
            if (type.getDescriptor().equals("L" + CONTEXT + ";")) {
                return at;
            }
            at += type.getSize();
        }
        return -1;
    }
}
