package dev.faultlayer;

import java.util.Collections;
import java.util.List;

/**
 * Faults that had no chance to fire: a test under them shows nothing, whatever it asserts. The code is {@code no_chance}, the
 * message has a line for each. Where that is meant, {@code strict} is to be {@code false}.
 */
public final class NoChanceException extends FaultlayerException {
    private static final long serialVersionUID = 1L;

    private final transient List<Missed> missed;

    NoChanceException(List<Missed> missed) {
        super("no_chance", missed.get(0).path, message(missed), null);
        this.missed = Collections.unmodifiableList(missed);
    }

    private static String message(List<Missed> missed) {
        StringBuilder lines = new StringBuilder();
        for (Missed one : missed) {
            lines.append(one.path).append(": `").append(one.fault).append("` had no chance to fire: ");
            lines.append(one.reason).append(", ").append(one.means).append('\n');
        }
        return lines.append("strict = false allows it").toString();
    }

    /** In the plan's order. */
    public List<Missed> missed() {
        return missed == null ? List.of() : missed;
    }

    /** One such fault. */
    public static final class Missed {
        private final String path;
        private final String fault;
        private final String reason;
        private final String means;

        Missed(String path, String fault, String reason, String means) {
            this.path = path;
            this.fault = fault;
            this.reason = reason;
            this.means = means;
        }

        /** Its id. */
        public String fault() {
            return fault;
        }

        /**
         * Why, stable from release to release: {@code not_called}, {@code other_thread}, {@code not_started}, {@code
         * expired}, {@code unknown_error_type}.
         */
        public String reason() {
            return reason;
        }
    }
}
