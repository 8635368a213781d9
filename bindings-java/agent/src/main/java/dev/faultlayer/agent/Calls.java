package dev.faultlayer.agent;

import dev.faultlayer.runtime.Native;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiFunction;

/**
 * Which invocation a call to AWS belongs to. Where the client runs one at a time it is that one, whichever thread calls; where
 * it runs several it is the one whose handler's thread calls, or from whose thread the SDK's call was started.
 */
final class Calls implements BiFunction<Object, byte[], byte[]> {
    /** How many invocations wait for calls. */
    static final AtomicInteger WAITING = new AtomicInteger();

    /** Scopes and operations in turn, of the signed calls that some of them can hit; null where one of them cannot tell. */
    static final AtomicReference<String[]> SCOPES = new AtomicReference<>();

    private static final UnderWay[] NONE = {};

    /** Those that wait; replaced as a whole. */
    private static volatile UnderWay[] underWay = NONE;

    private static final boolean SEVERAL = several(System.getenv("AWS_LAMBDA_MAX_CONCURRENCY"));

    /** A thread that runs handlers: what it calls is its invocation's, or nobody's. */
    private static final ThreadLocal<Boolean> HANDLES = new ThreadLocal<>();

    /** The number for an SDK's call that goes on in other threads, by what the SDK knows the call by. */
    private static final Map<Object, Long> STARTED = Collections.synchronizedMap(new WeakHashMap<>());

    private static final long NOBODY = 0;
    private static final long UNKNOWN = -1;

    private static volatile boolean watching;

    private static final class UnderWay {
        final long number;
        final String[] scopes;
        final Thread thread = Thread.currentThread();

        UnderWay(long number) {
            this.number = number;
            scopes = Native.scopes(number);
        }
    }

    private static boolean several(String most) {
        try {
            return most != null && Integer.parseInt(most) > 1;
        } catch (NumberFormatException other) {
            return false;
        }
    }

    /** Whether the SDK's calls are looked at; where they are not, faults in them are skipped. */
    static boolean isWatching() {
        return watching;
    }

    static void watch(boolean on) {
        watching = on;
    }

    /** This thread calls a handler. */
    static void handles() {
        if (SEVERAL && watching) {
            HANDLES.set(true);
        }
    }

    /** The handler of a session begins. The number by which its calls ask, or 0 where no fault waits for any. */
    static synchronized long enter(long session) {
        long number = Native.calls(session);
        if (number != NOBODY) {
            UnderWay[] more = Arrays.copyOf(underWay, underWay.length + 1);
            more[underWay.length] = new UnderWay(number);
            waitFor(more);
            WAITING.incrementAndGet();
        }
        return number;
    }

    static synchronized void leave(long number) {
        UnderWay[] all = underWay;
        UnderWay[] rest = new UnderWay[all.length - 1];
        int kept = 0;
        for (UnderWay each : all) {
            if (each.number != number) {
                rest[kept++] = each;
            }
        }
        waitFor(rest);
        WAITING.decrementAndGet();
    }

    private static void waitFor(UnderWay[] all) {
        // Most are of one plan.
        Set<List<String>> different = new LinkedHashSet<>();
        boolean isKnown = true;
        for (UnderWay each : all) {
            if (each.scopes == null) {
                isKnown = false;
            } else {
                different.add(Arrays.asList(each.scopes));
            }
        }
        List<String> scopes = new ArrayList<>();
        for (List<String> each : different) {
            scopes.addAll(each);
        }
        SCOPES.set(isKnown ? scopes.toArray(new String[0]) : null);
        underWay = all;
    }

    /**
     * What an attempt meets, as {@link Native#met} says it. The SDK always tells the operation, so that no form is read.
     *
     * @param call what the SDK knows a call by whose attempts are made in several threads, or null
     */
    @Override
    public byte[] apply(Object call, byte[] told) {
        UnderWay[] all = underWay;
        if (all.length == 0) {
            return null;
        }
        long owner = SEVERAL ? owner(all, call) : all[0].number;
        if (owner == UNKNOWN) {
            Native.unattributed(all[0].number);
            return null;
        }
        return owner == NOBODY ? null : Native.met(owner, told, null, Native.ABSENT);
    }

    private static long owner(UnderWay[] all, Object call) {
        Long started = call == null ? null : STARTED.get(call);
        if (started != null) {
            return started;
        }
        long owner = HANDLES.get() == null ? UNKNOWN : NOBODY;
        for (UnderWay each : all) {
            if (each.thread == Thread.currentThread()) {
                owner = each.number;
            }
        }
        if (call != null && owner != UNKNOWN) {
            STARTED.put(call, owner);
        }
        return owner;
    }
}
