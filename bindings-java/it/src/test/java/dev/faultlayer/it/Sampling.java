package dev.faultlayer.it;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.UUID;

/**
 * The sampling as its definition says, so that tests can choose request ids that meet exactly the fault they want: no
 * pattern needed, whatever the event's shape.
 */
final class Sampling {
    private static final long OFFSET = 0xcbf29ce484222325L;
    private static final long PRIME = 0x100000001b3L;

    private Sampling() {}

    static double sample(long seed, String fault, String requestId) {
        long state = fnv1a(seed, requestId) ^ fnv1a(0, fault);
        long z = state + 0x9e3779b97f4a7c15L;
        z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return ((z ^ (z >>> 31)) >>> 11) * 0x1.0p-53;
    }

    /** A request id for which this fault fires and no other does; with null, none does. */
    static String idFor(long seed, double rate, Collection<String> faults, String wanted) {
        for (int i = 0; i < 1_000_000; i++) {
            String id = new UUID(0x8f5c7d1e00004000L, 0x8000000000000000L | i).toString();
            if (faults.stream().allMatch(fault -> sample(seed, fault, id) < rate == fault.equals(wanted))) {
                return id;
            }
        }
        throw new IllegalArgumentException("no request id meets " + wanted);
    }

    private static long fnv1a(long head, String text) {
        long hash = OFFSET;
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        for (byte b :
                ByteBuffer.allocate(8 + bytes.length).putLong(head).put(bytes).array()) {
            hash = (hash ^ (b & 0xff)) * PRIME;
        }
        return hash;
    }
}
