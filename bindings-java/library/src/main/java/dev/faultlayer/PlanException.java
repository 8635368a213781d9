package dev.faultlayer;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/** A plan that cannot be used. The message lists all problems, one a line; {@link #path} is the first one's. */
public final class PlanException extends FaultlayerException {
    private static final long serialVersionUID = 1L;

    private final transient List<Problem> problems;

    private PlanException(String code, String path, String message, List<Problem> problems, Throwable cause) {
        super(code, path, message, cause);
        this.problems = problems;
    }

    static PlanException unreadable(String name, Throwable cause) {
        return new PlanException(
                "plan_unreadable", "", "plan: cannot read `" + name + "`: " + cause.getMessage(), List.of(), cause);
    }

    /** @param refusal the engine's, as JSON */
    static PlanException refused(String refusal) {
        Map<String, Object> fields = Json.object(refusal);
        List<Problem> problems = new ArrayList<>();
        for (Object entry : (List<?>) fields.getOrDefault("problems", List.of())) {
            Map<?, ?> problem = (Map<?, ?>) entry;
            problems.add(new Problem(
                    text(problem.get("code")),
                    text(problem.get("path")),
                    text(problem.get("value")),
                    text(problem.get("expected"))));
        }
        return new PlanException(
                text(fields.get("code")),
                text(fields.get("path")),
                text(fields.get("message")),
                Collections.unmodifiableList(problems),
                null);
    }

    private static String text(Object value) {
        return value == null ? null : value.toString();
    }

    /** All that is wrong, in the order of the plan's text. */
    public List<Problem> problems() {
        return problems == null ? List.of() : problems;
    }

    /** One thing that is wrong with a plan. */
    public static final class Problem {
        private final String code;
        private final String path;
        private final String value;
        private final String expected;

        private Problem(String code, String path, String value, String expected) {
            this.code = code;
            this.path = path;
            this.value = value;
            this.expected = expected;
        }

        /** What kind of problem, as in {@code out_of_range}. */
        public String code() {
            return code;
        }

        /** The field, as in {@code faults[0].rate}. */
        public String path() {
            return path;
        }

        /** What stands there, as JSON; null if nothing does. */
        public String value() {
            return value;
        }

        /** What may stand there. */
        public String expected() {
            return expected;
        }
    }
}
