package dev.faultlayer.agent;

import dev.faultlayer.runtime.Faults;
import dev.faultlayer.runtime.Native;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.instrument.Instrumentation;

/**
 * What the instrumented client calls. Trouble of Faultlayer's own never reaches the function: the handler runs as if
 * nothing were here.
 */
public final class Hook {
    /** Frames of these classes never stand in a stack trace. */
    static final String OURS = "dev.faultlayer.agent.";

    private static final String LIBRARY = "java/libfaultlayer_java.so";

    private static volatile long host;
    private static volatile int reads;
    private static boolean idTells;
    private static int deadlineTries;

    /** Held so that it can be given up where memory is short: what must be said then needs some. */
    private static byte[] reserve;

    private static final int RESERVE = 64 * 1024;

    private static final String UNDECIDED = "an invocation could not be decided";

    private Hook() {}

    /** Loads the engine; false if nothing can ever fire. Its own record has said why. */
    static boolean start(Instrumentation instrumentation) {
        try {
            NativeAccess.allow(instrumentation);
            File jar = new File(Hook.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
            System.load(new File(jar.getParentFile(), LIBRARY).getAbsolutePath());
        } catch (Throwable trouble) {
            OwnRecord.trouble("the native library could not be loaded", trouble);
            return false;
        }
        deadlineTries = Native.deadlineTries();
        restart();
        reserve = host == 0 ? null : new byte[RESERVE];
        // After a snapshot's restore another plan may be in force, and the SDK is loaded by then.
        if (host != 0 && (SnapStart.isOn() || Native.hitsCalls(host))) {
            SdkTransformer.install(instrumentation);
        }
        return host != 0;
    }

    /** The function goes on, and one record says what was wrong: the engine writes it, which needs nothing of the JVM's. */
    static void trouble(String message, Throwable trouble) {
        if (host == 0) {
            OwnRecord.trouble(message, trouble);
            return;
        }
        reserve = null;
        try {
            Native.report(host, false, message.concat(": ").concat(String.valueOf(trouble)));
        } catch (Throwable more) {
            Native.report(host, false, message);
        }
    }

    /** The engine is there, and the client is none that it can stand in. */
    static void unknownClient(String message) {
        Native.report(host, true, message);
    }

    /** Takes the plan, the time and the counts anew: at init, and after a snapshot was restored. */
    static void restart() {
        long old = host;
        host = Native.layer();
        reads = host == 0 ? 0 : Native.reads(host);
        idTells = host != 0 && Native.idTells(host);
        if (old != 0) {
            Native.free(old);
        }
    }

    /** The end of init: waits a little for the first plan, where it comes from elsewhere. */
    static void settle() {
        if (host != 0) {
            Native.settle(host);
        }
    }

    static boolean isActive() {
        return host != 0;
    }

    /** Whether to ask for the time left again: the clock went on around the question, which was not asked too often yet. */
    public static boolean asksAgain(long now, int tries) {
        return now != System.currentTimeMillis() && tries < deadlineTries;
    }

    /**
     * Decides, unless that takes the deadline. Null if nothing is drawn; else the client's context is asked for the time left,
     * which few invocations need, and then comes {@link #before}.
     */
    public static Injection decide(String requestId, String arn, Object context, InputStream in) {
        try {
            long engine = host;
            if (engine == 0) {
                return null;
            }
            Calls.handles();
            if (idTells && requestId != null && Native.isQuiet(engine, requestId, requestId.length())) {
                return null;
            }
            long session = ask(engine, requestId, Native.ABSENT, arn, context, in);
            if (session == Native.STALE) {
                return new Injection(new Injection.Undecided(engine, requestId, arn, context, in));
            }
            return session == 0 ? null : injection(session);
        } catch (Throwable trouble) {
            trouble(UNDECIDED, trouble);
            return null;
        }
    }

    /**
     * A session, 0 if nothing is drawn, or {@link Native#STALE} where it takes the deadline, which is not told. What a plan reads is
     * gathered by what the last one read; where another one has come meanwhile that reads more, it is gathered anew.
     */
    static long ask(long engine, String requestId, long deadlineMs, String arn, Object context, InputStream in)
            throws ReflectiveOperationException {
        while (true) {
            int wanted = reads;
            String readArn = null;
            String clientContext = null;
            InputStream event = null;
            if (wanted != 0) {
                if ((wanted & Native.READS_DEADLINE) != 0 && deadlineMs == Native.ABSENT) {
                    return Native.STALE;
                }
                if ((wanted & Native.READS_ARN) != 0) {
                    readArn = arn;
                }
                if ((wanted & Native.READS_CLIENT_CONTEXT) != 0) {
                    clientContext = ClientContextText.of(context);
                }
                if ((wanted & Native.READS_EVENT) != 0 && in instanceof ByteArrayInputStream) {
                    event = in;
                }
            }
            long session =
                    Native.decide(engine, requestId, deadlineMs, readArn, clientContext, event, Native.ABSENT, wanted);
            if (session != Native.STALE) {
                return session;
            }
            reads = Native.reads(engine);
        }
    }

    private static Injection injection(long session) {
        try {
            return new Injection(session);
        } catch (Throwable trouble) {
            Native.end(session);
            throw trouble;
        }
    }

    /** Carries out what comes before the handler, which may throw. Null if nothing is drawn. */
    public static Injection before(Injection injection, long now, int left, OutputStream out) {
        try {
            if (!injection.isDrawn(now + left)) {
                return null;
            }
        } catch (Throwable trouble) {
            trouble(UNDECIDED, trouble);
            return null;
        }
        injection.begin(now + left, out);
        return injection;
    }

    /** Whether the handler is to be called. */
    public static boolean runs(Injection injection) {
        return injection == null || injection.runs();
    }

    /** The handler returned. */
    public static void returned(Injection injection, OutputStream out) {
        if (injection != null) {
            injection.returned(out);
        }
    }

    /** The handler threw; what is to be thrown on. */
    public static Throwable failed(Injection injection, Throwable error) {
        return injection == null ? error : injection.failed(error);
    }

    /** A fault with the stack trace that it would have if the handler had thrown it. */
    static Throwable asThrownByTheHandler(Throwable fault) {
        return fault == null ? null : Faults.place(fault, OURS, Origin.frames());
    }
}
