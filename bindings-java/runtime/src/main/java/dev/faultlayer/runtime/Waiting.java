package dev.faultlayer.runtime;

import java.util.concurrent.locks.LockSupport;

/** Holds delays. */
public final class Waiting {
    private Waiting() {}

    /**
     * Holds the calling thread for so many microseconds. Parking is as exact as a native sleep and never pins a virtual
     * thread; an interrupt does not shorten a fault and is still there afterwards.
     */
    public static void hold(long micros) {
        if (micros <= 0) {
            return;
        }
        long end = System.nanoTime() + micros * 1000;
        boolean interrupted = false;
        for (long left = end - System.nanoTime(); left > 0; left = end - System.nanoTime()) {
            LockSupport.parkNanos(left);
            interrupted |= Thread.interrupted();
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
