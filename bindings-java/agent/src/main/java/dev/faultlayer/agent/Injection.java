package dev.faultlayer.agent;

import dev.faultlayer.FaultInjected;
import dev.faultlayer.runtime.Faults;
import dev.faultlayer.runtime.Native;
import dev.faultlayer.runtime.Step;
import dev.faultlayer.runtime.Waiting;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/** One invocation that something was drawn for. Used by its own thread only. */
public final class Injection {
    private long session;
    private boolean runs = true;

    /** By which its calls to AWS ask; 0 for none. */
    private long calls;

    /** Where the deadline is what it is sampled by, what else there is to decide with. */
    private Undecided undecided;

    Injection(long session) {
        this.session = session;
    }

    Injection(Undecided undecided) {
        this.undecided = undecided;
    }

    /** What is known of an invocation that is decided with its deadline. */
    static final class Undecided {
        private final long host;
        private final String requestId;
        private final String arn;
        private final Object context;
        private final InputStream in;

        Undecided(long host, String requestId, String arn, Object context, InputStream in) {
            this.host = host;
            this.requestId = requestId;
            this.arn = arn;
            this.context = context;
            this.in = in;
        }

        long decide(long deadlineMs) throws ReflectiveOperationException {
            return Hook.ask(host, requestId, deadlineMs, arn, context, in);
        }
    }

    /** Whether something is drawn for it. */
    boolean isDrawn(long deadlineMs) throws ReflectiveOperationException {
        if (undecided != null) {
            session = undecided.decide(deadlineMs);
            undecided = null;
        }
        return session != 0;
    }

    boolean runs() {
        return runs;
    }

    /** Before the handler. */
    void begin(long deadlineMs, OutputStream out) {
        Throwable fault = null;
        try {
            Step step = Step.of(Native.before(session, deadlineMs));
            fault = Hook.asThrownByTheHandler(carryOut(step));
            if (step.outcome == Step.RESPONSE) {
                out.write(bytes(step.first));
                runs = false;
            }
            runs &= fault == null;
            if (runs && Calls.isWatching()) {
                calls = Calls.enter(session);
            }
        } catch (Throwable trouble) {
            Hook.trouble("a fault could not be carried out", trouble);
        }
        if (!runs) {
            end();
        }
        if (fault != null) {
            throw Faults.<RuntimeException>raise(fault);
        }
    }

    /** After a handler that returned: its answer stands in {@code out}. */
    void returned(OutputStream out) {
        Throwable fault = null;
        try {
            ByteArrayOutputStream answer = out instanceof ByteArrayOutputStream ? (ByteArrayOutputStream) out : null;
            byte[] given = answer != null && Native.wantsText(session) ? answer.toByteArray() : null;
            Step step = Step.of(Native.returned(session, given, Native.ABSENT));
            fault = Hook.asThrownByTheHandler(carryOut(step));
            if (answer != null && (step.outcome == Step.RESPONSE || step.outcome == Step.CORRUPT)) {
                replace(answer, bytes(step.first));
            }
        } catch (Throwable trouble) {
            Hook.trouble("a fault could not be carried out", trouble);
        } finally {
            end();
        }
        if (fault != null) {
            throw Faults.<RuntimeException>raise(fault);
        }
    }

    /** After a handler that threw. */
    Throwable failed(Throwable error) {
        Throwable fault = null;
        try {
            fault = Hook.asThrownByTheHandler(carryOut(Step.of(Native.failed(session, Native.ABSENT))));
        } catch (Throwable trouble) {
            Hook.trouble("a fault could not be carried out", trouble);
        } finally {
            end();
        }
        return fault == null ? error : fault;
    }

    /** Holds the delay and does what is not the answer's: what to throw, or null. */
    private static Throwable carryOut(Step step) {
        Waiting.hold(step.delayUs);
        switch (step.outcome) {
            case Step.ERROR:
                return Faults.error(
                        step.first, step.second, Thread.currentThread().getContextClassLoader());
            case Step.EXIT:
                Runtime.getRuntime().halt((int) step.number());
                return null;
            case Step.TIMEOUT:
                Waiting.hold(step.number());
                return new FaultInjected(step.second);
            default:
                return null;
        }
    }

    /** Behind the old answer first: where memory is too short for the new one, that one stays. */
    private static void replace(ByteArrayOutputStream answer, byte[] instead) {
        answer.write(instead, 0, instead.length);
        answer.reset();
        answer.write(instead, 0, instead.length);
    }

    private void end() {
        long ending = session;
        session = 0;
        if (calls != 0) {
            Calls.leave(calls);
            calls = 0;
        }
        if (ending != 0) {
            Native.end(ending);
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
