package dev.faultlayer;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Builds a plan, version 1. Nothing is checked here: the engine checks a plan as a whole when it is used and names all
 * problems at once, with the same paths as for a plan from a file.
 *
 * <pre>{@code
 * Plan plan = Plan.experiment("checkout").seed(7).neverExpires()
 *         .fault(Fault.latency("slow", 0.25, Duration.ofMillis(300)))
 *         .fault(Fault.error("boom", 0.05, IOException.class, "the disk is gone"));
 * }</pre>
 */
public final class Plan {
    private final Map<String, Object> fields = new LinkedHashMap<>();
    private final Map<String, Object> limits = new LinkedHashMap<>();
    private final List<Fault> faults = new ArrayList<>();

    private Plan(String experiment) {
        fields.put("version", 1);
        fields.put("experiment", experiment);
    }

    /** Starts a plan; the name stands in every record. */
    public static Plan experiment(String name) {
        return new Plan(name);
    }

    /** From 0 to 2^53-1; 0 if not said. */
    public Plan seed(long seed) {
        return set("seed", seed);
    }

    /** Before it nothing fires. */
    public Plan startsAt(Instant start) {
        return set("starts_at", start.toString());
    }

    /** From it on nothing fires. */
    public Plan expiresAt(Instant end) {
        return set("expires_at", end.toString());
    }

    /** As {@link #expiresAt}, from now. */
    public Plan expiresIn(Duration span) {
        return expiresAt(Instant.now().plus(span));
    }

    /** For tests: the plan has no end, which must be said. */
    public Plan neverExpires() {
        return set("expires_at", "never");
    }

    /** Decide and record, change nothing. */
    public Plan dryRun() {
        return set("dry_run", true);
    }

    /** Injections count as CloudWatch metrics in this namespace, by their records alone. */
    public Plan metrics(String namespace) {
        return set("metrics", Map.of("namespace", namespace));
    }

    /** Each injection is a subsegment of the invocation's trace in AWS X-Ray, where that is sampled. */
    public Plan traces() {
        return set("traces", true);
    }

    /** At most so many injections. */
    public Plan maxInjections(long count) {
        limits.put("injections", count);
        return set("limits", limits);
    }

    /** Latency never eats into the time that is left before the timeout. */
    public Plan deadlineMargin(Duration margin) {
        limits.put("deadline_margin_ms", margin.toMillis());
        return set("limits", limits);
    }

    /** Adds a fault; the order is the order in which they are drawn. */
    public Plan fault(Fault fault) {
        faults.add(fault);
        return this;
    }

    private Plan set(String name, Object value) {
        fields.put(name, value);
        return this;
    }

    /** The plan as JSON. */
    public String toJson() {
        Map<String, Object> all = new LinkedHashMap<>(fields);
        all.put("faults", named());
        return Json.write(all);
    }

    /** The faults with what they need not say: the id (the kind, numbered from the second on) and the rate (always). */
    private List<Object> named() {
        Set<Object> taken = new HashSet<>();
        faults.forEach(fault -> taken.add(fault.fields().get("id")));
        List<Object> entries = new ArrayList<>();
        for (Fault fault : faults) {
            Map<String, Object> entry = new LinkedHashMap<>();
            Object kind = fault.fields().get("kind");
            Object id = kind;
            for (int number = 2; fault.fields().get("id") == null && taken.contains(id); number++) {
                id = kind + "-" + number;
            }
            entry.put("id", id);
            entry.put("rate", 1);
            entry.putAll(fault.fields());
            taken.add(entry.get("id"));
            entries.add(entry);
        }
        return entries;
    }

    @Override
    public String toString() {
        return toJson();
    }
}
