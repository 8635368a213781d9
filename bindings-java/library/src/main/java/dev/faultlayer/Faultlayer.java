package dev.faultlayer;

import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import dev.faultlayer.runtime.Native;
import java.io.IOException;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.lang.ref.WeakReference;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A plan in force, and the handlers under it. Strict: a plan that does not hold is refused with a {@link PlanException}.
 * Safe under any number of threads.
 *
 * <p>Faults in calls to AWS and in connections hit those of a wrapped handler. Those that the thread makes beside it, which has
 * put the plan in force, are hit too, until it is closed: all of that is one call then, with a decision of its own.
 *
 * <pre>{@code
 * try (Faultlayer faults = Faultlayer.of(plan)) {
 *     RequestHandler<Order, Receipt> handler = faults.wrap(new Checkout());
 *     assertThrows(IOException.class, () -> handler.handleRequest(order, context));
 *     assertEquals(List.of("boom"), faults.injected());
 * }
 * }</pre>
 */
public final class Faultlayer implements AutoCloseable {
    private static final Cleaner CLEANER = Cleaner.create();

    private final long host;
    private final List<String> records = new ArrayList<>();
    private final AtomicLong unnamed = new AtomicLong();
    private final boolean strict;

    /** Whose calls are the plan's beside its handlers'; null for nobody's. */
    private final Thread thread;

    private final WeakReference<Faultlayer> itself = new WeakReference<>(this);
    private volatile boolean looksAtCalls;
    private volatile boolean calledElsewhere;
    private volatile boolean closed;

    /** What that thread does, once it called AWS: its session, 0 where nothing is drawn. */
    private final AtomicLong block = new AtomicLong();

    private Calls.Owner blockOwner;

    private Faultlayer(long host, boolean strict, Thread thread) {
        this.host = host;
        this.strict = strict;
        this.thread = thread;
        AtomicLong begun = block;
        WeakReference<Faultlayer> forgotten = itself;
        CLEANER.register(this, () -> {
            Calls.close(forgotten);
            end(begun);
            Native.free(host);
        });
    }

    private static void end(AtomicLong block) {
        long session = block.getAndSet(0);
        if (session != 0) {
            Native.end(session);
        }
    }

    /**
     * Puts a plan in force.
     *
     * @param plan as JSON
     * @throws PlanException if it does not hold
     * @throws NoChanceException if it names an error class that is not there
     * @throws FaultlayerException if the native library is not there
     */
    public static Faultlayer of(String plan) {
        return of(plan, true);
    }

    /**
     * As {@link #of(String)}.
     *
     * @param strict {@code false}: faults that have no chance to fire are no error, and an error class that is not there
     *     becomes {@link FaultInjected}
     */
    public static Faultlayer of(String plan, boolean strict) {
        return of(plan, strict, Thread.currentThread());
    }

    private static Faultlayer of(String plan, boolean strict, Thread thread) {
        NativeLibrary.load();
        String[] made = Native.library(plan, new String[] {
            System.getenv("AWS_LAMBDA_FUNCTION_NAME"), System.getenv("AWS_LAMBDA_FUNCTION_VERSION"),
            System.getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"), runtime(System.getenv("AWS_EXECUTION_ENV")),
        });
        if (made[0] == null) {
            throw PlanException.refused(made[1]);
        }
        Faultlayer faults = new Faultlayer(Long.parseLong(made[0]), strict, thread);
        faults.checkClasses(plan);
        faults.look();
        return faults;
    }

    /** As {@link #of(String)}. */
    public static Faultlayer of(Plan plan) {
        return of(plan.toJson());
    }

    /** As {@link #of(String, boolean)}. */
    public static Faultlayer of(Plan plan, boolean strict) {
        return of(plan.toJson(), strict);
    }

    /**
     * As {@link #of(String)}, with a plan from a file.
     *
     * @throws PlanException also if the file cannot be read
     */
    public static Faultlayer of(Path file) {
        return of(file, true);
    }

    /** As {@link #of(Path)} and {@link #of(String, boolean)}. */
    public static Faultlayer of(Path file, boolean strict) {
        try {
            return of(new String(Files.readAllBytes(file), StandardCharsets.UTF_8), strict);
        } catch (IOException unreadable) {
            throw PlanException.unreadable(file.toString(), unreadable);
        }
    }

    /** Puts a handler under a plan of its own; the records are dropped. */
    public static <I, O> RequestHandler<I, O> wrap(RequestHandler<I, O> handler, String plan) {
        return of(plan, true, null).wrap(handler);
    }

    /** As {@link #wrap(RequestHandler, String)}. */
    public static <I, O> RequestHandler<I, O> wrap(RequestHandler<I, O> handler, Plan plan) {
        return wrap(handler, plan.toJson());
    }

    /** As {@link #wrap(RequestHandler, String)}. */
    public static RequestStreamHandler wrap(RequestStreamHandler handler, String plan) {
        return of(plan, true, null).wrap(handler);
    }

    /** As {@link #wrap(RequestHandler, String)}. */
    public static RequestStreamHandler wrap(RequestStreamHandler handler, Plan plan) {
        return wrap(handler, plan.toJson());
    }

    /**
     * Puts a handler under this plan. A call whose context has no request id, or that has no context, is {@code call-1},
     * {@code call-2} and so on, so that a run repeats itself.
     */
    public <I, O> RequestHandler<I, O> wrap(RequestHandler<I, O> handler) {
        return new Wrapped.Objects<>(this, handler);
    }

    /** As {@link #wrap(RequestHandler)}. */
    public RequestStreamHandler wrap(RequestStreamHandler handler) {
        return new Wrapped.Streams(this, handler);
    }

    /**
     * Puts another plan in force, atomically, under running invocations.
     *
     * @throws PlanException if it does not hold; the old one stays in force
     * @throws NoChanceException if it names an error class that is not there, or if the old one's faults had no chance to
     *     fire; the new one is in force
     */
    public void replace(String plan) {
        try {
            String[] noChance = Native.noChance(host);
            String refusal = Native.replace(host, plan);
            if (refusal != null) {
                throw PlanException.refused(refusal);
            }
            endBlock();
            checkClasses(plan);
            look();
            checkChances(noChance);
        } finally {
            Reference.reachabilityFence(this);
        }
    }

    /** As {@link #replace(String)}. */
    public void replace(Plan plan) {
        replace(plan.toJson());
    }

    /** The records so far, each one line of JSON, as a layer would have logged them. */
    public List<String> records() {
        synchronized (records) {
            return new ArrayList<>(records);
        }
    }

    /** The ids of the faults that were injected so far, one for each time. */
    public List<String> injected() {
        List<String> ids = new ArrayList<>();
        for (String line : records()) {
            Map<String, Object> record = Json.object(line);
            if ("injected".equals(record.get("action"))) {
                ids.add(String.valueOf(record.get("fault")));
            }
        }
        return ids;
    }

    /**
     * From here on the handlers run untouched.
     *
     * @throws NoChanceException if the plan's faults had no chance to fire: no handler, and no client of AWS's that its faults
     *     are about, was called while it was in force
     */
    @Override
    public void close() {
        boolean first = !closed;
        closed = true;
        if (first) {
            Calls.close(itself);
            endBlock();
            checkChances(Native.noChance(host));
            Reference.reachabilityFence(this);
        }
    }

    /** Looks at calls to AWS where the plan is about them, and at the thread's connections where it is about those. */
    private void look() {
        if (Native.hitsCalls(host) && !looksAtCalls) {
            SdkHook.install(Faultlayer.class.getClassLoader());
            SdkHook.install(Thread.currentThread().getContextClassLoader());
            looksAtCalls = true;
            if (thread != null) {
                Calls.open(itself);
            }
        }
        if (thread != null && Native.hitsConnections(host)) {
            // Nobody tells when the thread opens one.
            block();
        }
    }

    /** What the plan's thread does beside wrapped handlers, decided once. */
    synchronized Calls.Owner block() {
        if (blockOwner == null) {
            long session = Native.decideCalls(host, nextName());
            if (session == Native.FAILED) {
                throw engineFailed();
            }
            block.set(session);
            if (session != 0) {
                Wrapped.step(this, Native.before(session, Native.ABSENT));
            }
            blockOwner = new Calls.Owner(this, session == 0 ? 0 : Native.calls(session));
        }
        return blockOwner;
    }

    private synchronized void endBlock() {
        blockOwner = null;
        if (block.get() != 0) {
            try {
                Wrapped.step(this, Native.returned(block.get(), null, Native.ABSENT));
            } finally {
                end(block);
            }
        }
    }

    boolean isOfThisThread() {
        return thread == Thread.currentThread();
    }

    /** Whether the plan is about calls to AWS. */
    boolean looksAtCalls() {
        return looksAtCalls;
    }

    /** AWS was called by a thread that no plan is in force for. */
    void calledElsewhere() {
        calledElsewhere = true;
        Native.calledElsewhere(host);
        recordMore();
        Reference.reachabilityFence(this);
    }

    /** Takes the records that this thread's last question has led to. */
    void recordMore() {
        String[] lines = Native.records();
        if (lines != null) {
            synchronized (records) {
                records.addAll(Arrays.asList(lines));
            }
        }
    }

    private void checkChances(String[] noChance) {
        if (noChance == null) {
            throw engineFailed();
        }
        if (strict) {
            Chances.check(noChance, looksAtCalls, calledElsewhere);
        }
    }

    private void checkClasses(String plan) {
        if (strict) {
            Chances.checkClasses(plan, Thread.currentThread().getContextClassLoader());
        }
    }

    static FaultlayerException engineFailed() {
        return new FaultlayerException("internal_error", "", "the engine panicked", null);
    }

    boolean isClosed() {
        return closed;
    }

    /** The engine's handle; whoever uses it holds this object reachable. */
    long host() {
        return host;
    }

    String nextName() {
        return "call-" + unnamed.incrementAndGet();
    }

    void record(String line) {
        synchronized (records) {
            records.add(line);
        }
    }

    private static String runtime(String executionEnvironment) {
        String prefix = "AWS_Lambda_";
        boolean known = executionEnvironment != null && executionEnvironment.startsWith(prefix);
        return known ? executionEnvironment.substring(prefix.length()) : null;
    }
}
