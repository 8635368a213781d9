package dev.faultlayer;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;

/**
 * Builds one fault of a {@link Plan}. Rates are fractions from 0 (never) to 1 (always). A fault that does not say its id
 * gets its kind for it, numbered from the second on; one that does not say its rate always fires.
 */
public final class Fault {
    private final Map<String, Object> fields = new LinkedHashMap<>();

    private Fault(String kind) {
        fields.put("kind", kind);
    }

    private Fault(String id, String kind, double rate) {
        fields.put("id", id);
        fields.put("kind", kind);
        fields.put("rate", rate);
    }

    // <builders> written by core/tests/builders.rs, FAULTLAYER_BLESS=1
    /** Holds the invocation, then goes on. */
    public static Fault latency(Duration delay) {
        return new Fault("latency").set("delay_ms", millis(delay));
    }

    /** Raises an error of a named class. */
    public static Fault error(String type) {
        return new Fault("error").set("type", type);
    }

    /** Answers instead of the handler: an HTTP status with headers and body, or any JSON. */
    public static Fault response() {
        return new Fault("response");
    }

    /** The answer as it stands, instead of an HTTP answer. */
    public static Fault payload(Object payload) {
        return new Fault("response").set("payload", payload);
    }

    /** Ends the process at once, as a crash does. */
    public static Fault exit() {
        return new Fault("exit");
    }

    /** Holds until the function's timeout has passed. */
    public static Fault timeout() {
        return new Fault("timeout");
    }

    /** Damages the handler's answer: replaces it, or mangles its text at drawn places. */
    public static Fault corrupt() {
        return new Fault("corrupt");
    }

    /** Replaces the answer as it stands, `null` included. */
    public static Fault corruptBody(Object body) {
        return new Fault("corrupt").set("body", body);
    }

    /** Fills `/tmp` by so much while the handler runs. */
    public static Fault disk(int sizeMib) {
        return new Fault("disk").set("size_mib", sizeMib);
    }

    /** Occupies so much memory while the handler runs. */
    public static Fault memory(int sizeMib) {
        return new Fault("memory").set("size_mib", sizeMib);
    }

    /** Burns CPU beside the handler. */
    public static Fault cpu(Duration duration) {
        return new Fault("cpu").set("duration_ms", millis(duration));
    }

    /** Answers calls to AWS with an error, or delays them. */
    public static Fault awsCall(Map<String, ?> target) {
        return new Fault("aws_call").set("target", target);
    }

    /** Refuses, cuts off, resets or slows down connections, or keeps names from being resolved. */
    public static Fault network(Map<String, ?> target, String effect) {
        return new Fault("network").set("target", target).set("effect", effect);
    }

    // </builders>

    /** Its name in records. */
    public Fault id(String id) {
        return set("id", id);
    }

    /** From 0 to 1. */
    public Fault rate(double rate) {
        return set("rate", rate);
    }

    /** Holds the invocation for so long. */
    public static Fault latency(String id, double rate, Duration delay) {
        return new Fault(id, "latency", rate).set("delay_ms", millis(delay));
    }

    /** Holds it for a time between the two, all equally likely. */
    public static Fault latencyUniform(String id, double rate, Duration min, Duration max) {
        return distributed(id, rate, "uniform", "min", millis(min), "max", millis(max));
    }

    /** Holds it for a normally distributed time, from 0 to {@code max}. */
    public static Fault latencyNormal(String id, double rate, Duration mean, Duration stdDev, Duration max) {
        return distributed(id, rate, "normal", "mean", millis(mean), "std_dev", millis(stdDev), "max", millis(max));
    }

    /** Holds it for a Pareto-distributed time of at least {@code scale}, cut at {@code max}. */
    public static Fault latencyPareto(String id, double rate, Duration scale, double shape, Duration max) {
        return distributed(id, rate, "pareto", "scale", millis(scale), "shape", shape, "max", millis(max));
    }

    /** Holds it as long as measured percentiles say, straight lines between them; 100 must be among them. */
    public static Fault latencyPercentiles(String id, double rate, SortedMap<Integer, Duration> delays) {
        Map<String, Object> points = new LinkedHashMap<>();
        delays.forEach((percent, delay) -> points.put(percent.toString(), millis(delay)));
        return new Fault(id, "latency", rate).set("delay_ms", Map.of("percentiles", points));
    }

    /** Throws this class, made with the message. */
    public static Fault error(String id, double rate, Class<? extends Throwable> type, String message) {
        return error(id, rate, type.getName(), message);
    }

    /** The same for a class that is known by name only. */
    public static Fault error(String id, double rate, String type, String message) {
        return new Fault(id, "error", rate).set("type", type).set("message", message);
    }

    /** Answers with a status and a body. */
    public static Fault response(String id, double rate, int status, String body) {
        return new Fault(id, "response", rate).set("status", status).set("body", body);
    }

    /** Answers with this JSON: maps, collections, strings, numbers, booleans and null. */
    public static Fault payload(String id, double rate, Object json) {
        return new Fault(id, "response", rate).set("payload", json);
    }

    /** Ends the JVM, the one that runs the test too. */
    public static Fault exit(String id, double rate, int code) {
        return new Fault(id, "exit", rate).set("code", code);
    }

    /** Holds until one second past the deadline, then throws {@link FaultInjected}. */
    public static Fault timeout(String id, double rate) {
        return new Fault(id, "timeout", rate);
    }

    /** Mangles the answer's text: a string, or the string {@code body} of an object. */
    public static Fault corrupt(String id, double rate) {
        return new Fault(id, "corrupt", rate);
    }

    /** Replaces the answer. */
    public static Fault corrupt(String id, double rate, Object body) {
        return new Fault(id, "corrupt", rate).set("body", body);
    }

    /** Fills the disk beside the handler. */
    public static Fault disk(String id, double rate, int sizeMib) {
        return new Fault(id, "disk", rate).set("size_mib", sizeMib);
    }

    /** Takes memory beside the handler. */
    public static Fault memory(String id, double rate, int sizeMib) {
        return new Fault(id, "memory", rate).set("size_mib", sizeMib);
    }

    /** Burns processor time beside the handler. */
    public static Fault cpu(String id, double rate, Duration duration, int threads) {
        return new Fault(id, "cpu", rate).set("duration_ms", millis(duration)).set("threads", threads);
    }

    /** Comes after the handler rather than before it. */
    public Fault after() {
        return set("when", "after");
    }

    /** At most so many injections of this fault. */
    public Fault limit(long count) {
        return set("limit", count);
    }

    /** Lambda's retries of one event, which keep the request id, each meet a fate of their own. */
    public Fault sampledByAttempt() {
        return set("sample_by", "attempt");
    }

    /** Headers of a response. */
    public Fault headers(Map<String, String> headers) {
        return set("headers", headers);
    }

    /** Only invocations whose event fits this EventBridge pattern, as JSON. */
    public Fault matchEvent(String pattern) {
        return match("event", pattern);
    }

    /** Only invocations whose context fits this pattern, as JSON. */
    public Fault matchContext(String pattern) {
        return match("context", pattern);
    }

    /** Instead of one rate: seconds after {@code starts_at}, and the rate that holds from there on. */
    public Fault steps(SortedMap<Integer, Double> rates) {
        List<Object> steps = new ArrayList<>();
        rates.forEach((second, rate) -> {
            Map<String, Object> step = new LinkedHashMap<>();
            step.put("at_s", second);
            step.put("rate", rate);
            steps.add(step);
        });
        return set("rate", Map.of("steps", steps));
    }

    /** Any field of the plan's format, which may know more than this builder. */
    public Fault set(String name, Object value) {
        fields.put(name, value);
        return this;
    }

    private Fault match(String what, String pattern) {
        Map<Object, Object> match = new LinkedHashMap<>();
        if (fields.get("match") instanceof Map) {
            match.putAll((Map<?, ?>) fields.get("match"));
        }
        match.put(what, new Json.Raw(pattern));
        return set("match", match);
    }

    private static Fault distributed(String id, double rate, String name, Object... values) {
        Map<String, Object> parameters = new LinkedHashMap<>();
        for (int i = 0; i < values.length; i += 2) {
            parameters.put((String) values[i], values[i + 1]);
        }
        return new Fault(id, "latency", rate).set("delay_ms", Map.of(name, parameters));
    }

    private static Object millis(Duration duration) {
        return duration.toNanos() % 1_000_000 == 0 ? (Object) duration.toMillis() : (Object) (duration.toNanos() / 1e6);
    }

    Map<String, Object> fields() {
        return fields;
    }
}
