package dev.faultlayer.runtime.sdk;

import java.util.concurrent.locks.LockSupport;

/** A thread that waits as for a server: an interrupt does not end it, as it does not end a read, and is kept. */
final class Hold {
    private volatile Thread held;
    private volatile boolean ended;

    /** Whether it was not ended before its time. */
    boolean hold(long micros) {
        long end = System.nanoTime() + micros * 1000;
        boolean interrupted = false;
        held = Thread.currentThread();
        for (long left = end - System.nanoTime(); left > 0 && !ended; left = end - System.nanoTime()) {
            LockSupport.parkNanos(this, left);
            interrupted |= Thread.interrupted();
        }
        held = null;
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return !ended;
    }

    /** From any thread, at any time. */
    void end() {
        ended = true;
        LockSupport.unpark(held);
    }
}
