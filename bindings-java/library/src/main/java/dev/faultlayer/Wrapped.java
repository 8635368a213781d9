package dev.faultlayer;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import dev.faultlayer.runtime.Faults;
import dev.faultlayer.runtime.Native;
import dev.faultlayer.runtime.Step;
import dev.faultlayer.runtime.Waiting;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.ref.Reference;
import java.lang.reflect.Type;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;

/** Handlers under a plan: the steps of an invocation around the call of the original. */
final class Wrapped {
    private static final String OURS = "dev.faultlayer.";

    private Wrapped() {}

    /** What differs between objects and streams. */
    private interface Form<O> {
        byte[] event() throws IOException;

        O call() throws Exception;

        byte[] toJson(O answer);

        O fromJson(String json);
    }

    static final class Objects<I, O> implements RequestHandler<I, O> {
        private final Faultlayer faults;
        private final RequestHandler<I, O> handler;
        private final Type answerType;

        Objects(Faultlayer faults, RequestHandler<I, O> handler) {
            this.faults = faults;
            this.handler = handler;
            answerType = Answers.answerType(handler);
        }

        @Override
        public O handleRequest(I event, Context context) {
            return drive(faults, context, new Form<O>() {
                @Override
                public byte[] event() {
                    return Answers.toJson(event);
                }

                @Override
                public O call() {
                    return handler.handleRequest(event, context);
                }

                @Override
                public byte[] toJson(O answer) {
                    return Answers.toJson(answer);
                }

                @Override
                @SuppressWarnings("unchecked")
                public O fromJson(String json) {
                    return (O) Answers.fromJson(json, answerType);
                }
            });
        }
    }

    static final class Streams implements RequestStreamHandler {
        private final Faultlayer faults;
        private final RequestStreamHandler handler;

        Streams(Faultlayer faults, RequestStreamHandler handler) {
            this.faults = faults;
            this.handler = handler;
        }

        @Override
        public void handleRequest(InputStream in, OutputStream out, Context context) throws IOException {
            byte[] event = in.readAllBytes();
            out.write(drive(faults, context, new Form<byte[]>() {
                @Override
                public byte[] event() {
                    return event;
                }

                @Override
                public byte[] call() throws IOException {
                    ByteArrayOutputStream answer = new ByteArrayOutputStream();
                    handler.handleRequest(new ByteArrayInputStream(event), answer, context);
                    return answer.toByteArray();
                }

                @Override
                public byte[] toJson(byte[] answer) {
                    return answer;
                }

                @Override
                public byte[] fromJson(String json) {
                    return json.getBytes(StandardCharsets.UTF_8);
                }
            }));
        }
    }

    private static <O> O drive(Faultlayer faults, Context context, Form<O> form) {
        if (faults.isClosed()) {
            return sneaky(form::call);
        }
        String id = context == null ? null : context.getAwsRequestId();
        String name = id == null || id.isEmpty() ? faults.nextName() : id;
        boolean isSampled;
        long decided;
        // Once, unless another plan comes in the midst of it.
        do {
            int reads = Native.reads(faults.host());
            // What nothing is drawn for needs no deadline, unless that is what it is sampled by.
            isSampled = (reads & Native.READS_DEADLINE) != 0;
            decided = decide(faults, name, context, form, reads, isSampled ? deadline(context) : Native.ABSENT);
        } while (decided == Native.STALE);
        long session = decided;
        if (session == 0) {
            return sneaky(() -> call(faults, session, form));
        }
        try {
            Step before = step(faults, Native.before(session, isSampled ? Native.ABSENT : deadline(context)));
            if (carriedOut(before)) {
                return form.fromJson(before.first);
            }
            O answer;
            try {
                answer = call(faults, session, form);
            } catch (Throwable own) {
                carriedOut(step(faults, Native.failed(session, Native.ABSENT)));
                throw own;
            }
            byte[] given = Native.wantsText(session) ? form.toJson(answer) : null;
            Step after = step(faults, Native.returned(session, given, Native.ABSENT));
            return carriedOut(after) ? form.fromJson(after.first) : answer;
        } catch (Throwable thrown) {
            throw Faults.<RuntimeException>raise(thrown);
        } finally {
            Native.end(session);
        }
    }

    /** The handler itself. What it calls is its own, also where nothing is drawn for it. */
    private static <O> O call(Faultlayer faults, long session, Form<O> form) throws Exception {
        if (!faults.looksAtCalls() && Calls.WAITING.get() == 0) {
            return form.call();
        }
        Calls.Owner outer = Calls.enter(faults, session);
        try {
            return form.call();
        } finally {
            Calls.leave(outer);
        }
    }

    private static long decide(
            Faultlayer faults, String name, Context context, Form<?> form, int reads, long deadlineMs) {
        try {
            long session = Native.decide(
                    faults.host(),
                    name,
                    deadlineMs,
                    (reads & Native.READS_ARN) != 0 && context != null ? context.getInvokedFunctionArn() : null,
                    (reads & Native.READS_CLIENT_CONTEXT) != 0 && context != null ? clientContext(context) : null,
                    (reads & Native.READS_EVENT) != 0 ? form.event() : null,
                    Native.ABSENT,
                    reads);
            if (session == Native.FAILED) {
                throw Faultlayer.engineFailed();
            }
            return session;
        } catch (IOException unreadable) {
            throw new FaultlayerException(
                    "answer_type", "", "the event cannot be read: " + unreadable.getMessage(), unreadable);
        } finally {
            Reference.reachabilityFence(faults);
        }
    }

    /** The context tells the time left alone: asked again until the clock stood still around the question. */
    private static long deadline(Context context) {
        if (context == null) {
            return Native.ABSENT;
        }
        int tries = Native.deadlineTries();
        while (true) {
            long now = System.currentTimeMillis();
            int left = context.getRemainingTimeInMillis();
            tries--;
            if (now == System.currentTimeMillis() || tries == 0) {
                return now + left;
            }
        }
    }

    private static String clientContext(Context context) {
        return context.getClientContext() == null ? null : ClientContextText.of(context.getClientContext());
    }

    static Step step(Faultlayer faults, String[] parts) {
        if (parts == null) {
            throw Faultlayer.engineFailed();
        }
        Step step = Step.of(parts);
        for (int i = 0; i < step.records(); i++) {
            faults.record(step.record(i));
        }
        return step;
    }

    /** Holds and does what the step says; whether its answer stands. */
    private static boolean carriedOut(Step step) {
        Waiting.hold(step.delayUs);
        switch (step.outcome) {
            case Step.ERROR:
                throw raise(Faults.error(
                        step.first, step.second, Thread.currentThread().getContextClassLoader()));
            case Step.EXIT:
                Runtime.getRuntime().halt((int) step.number());
                return false;
            case Step.TIMEOUT:
                Waiting.hold(step.number());
                throw raise(new FaultInjected(step.second));
            case Step.RESPONSE:
            case Step.CORRUPT:
                return true;
            default:
                return false;
        }
    }

    private static RuntimeException raise(Throwable fault) {
        return Faults.<RuntimeException>raise(Faults.place(fault, OURS));
    }

    private static <O> O sneaky(Callable<O> call) {
        try {
            return call.call();
        } catch (Exception thrown) {
            throw Faults.<RuntimeException>raise(thrown);
        }
    }
}
