package dev.faultlayer;

import dev.faultlayer.runtime.Native;
import java.lang.ref.WeakReference;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiFunction;

/**
 * Whose a call to AWS is: the wrapped handler's that its thread runs, else the plan's that this thread has put in force last. The
 * attempts of one call are those of its first one, whichever threads go on with it. Calls of other threads are nobody's.
 */
final class Calls implements BiFunction<Object, byte[], byte[]> {
    /** How many plans and invocations wait for calls. */
    static final AtomicInteger WAITING = new AtomicInteger();

    /** An invocation, as its calls see it. */
    static final class Owner {
        private final Faultlayer faults;
        private final long number;

        /** The number is {@link Native#calls}': 0 where no fault waits for calls. */
        Owner(Faultlayer faults, long number) {
            this.faults = faults;
            this.number = number;
        }
    }

    /** Of a handler that runs in this thread. */
    private static final ThreadLocal<Owner> HELD = new ThreadLocal<>();

    /** By what the SDK knows a call by. */
    private static final Map<Object, Owner> STARTED = Collections.synchronizedMap(new WeakHashMap<>());

    /** The plans in force, which end where nobody holds them. */
    private static final List<WeakReference<Faultlayer>> OPEN = new CopyOnWriteArrayList<>();

    /** Handlers that run, in whichever threads. */
    private static final List<Owner> UNDER_WAY = new CopyOnWriteArrayList<>();

    /** The plan looks at calls of its own thread, until {@link #close}. */
    static void open(WeakReference<Faultlayer> faults) {
        OPEN.add(faults);
        WAITING.incrementAndGet();
    }

    static void close(WeakReference<Faultlayer> faults) {
        if (OPEN.remove(faults)) {
            WAITING.decrementAndGet();
        }
    }

    /** A wrapped handler begins: its thread's calls are its own until {@link #leave}, which gets what this answers. */
    static Owner enter(Faultlayer faults, long session) {
        Owner outer = HELD.get();
        Owner owner = new Owner(faults, session == 0 ? 0 : Native.calls(session));
        if (owner.number != 0) {
            UNDER_WAY.add(owner);
            WAITING.incrementAndGet();
        }
        HELD.set(owner);
        return outer;
    }

    static void leave(Owner outer) {
        Owner owner = HELD.get();
        if (owner.number != 0) {
            UNDER_WAY.remove(owner);
            WAITING.decrementAndGet();
        }
        if (outer == null) {
            HELD.remove();
        } else {
            HELD.set(outer);
        }
    }

    /**
     * What an attempt meets, as {@link Native#met} says it.
     *
     * @param call what the SDK knows a call by whose attempts are made in several threads, or null
     */
    @Override
    public byte[] apply(Object call, byte[] told) {
        Owner owner = owner(call);
        if (owner == null) {
            elsewhere();
            return null;
        }
        if (owner.number == 0) {
            return null;
        }
        byte[] met = Native.met(owner.number, told, null, Native.ABSENT);
        owner.faults.recordMore();
        return met;
    }

    private static Owner owner(Object call) {
        Owner owner = call == null ? null : STARTED.get(call);
        if (owner != null) {
            return owner;
        }
        owner = HELD.get();
        if (owner == null) {
            Faultlayer innermost = innermost();
            owner = innermost == null ? null : innermost.block();
        }
        if (owner != null && call != null) {
            STARTED.put(call, owner);
        }
        return owner;
    }

    private static Faultlayer innermost() {
        Faultlayer found = null;
        for (WeakReference<Faultlayer> each : OPEN) {
            Faultlayer faults = each.get();
            found = faults != null && faults.isOfThisThread() ? faults : found;
        }
        return found;
    }

    private static void elsewhere() {
        Set<Faultlayer> all = new LinkedHashSet<>();
        for (WeakReference<Faultlayer> each : OPEN) {
            all.add(each.get());
        }
        for (Owner each : UNDER_WAY) {
            all.add(each.faults);
        }
        all.remove(null);
        all.forEach(Faultlayer::calledElsewhere);
    }
}
