package dev.faultlayer;

import dev.faultlayer.NoChanceException.Missed;
import dev.faultlayer.runtime.Faults;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Whether a plan's faults had a chance to fire; which of them had none, the engine says. */
final class Chances {
    private static final Map<String, String> MEANS = Map.of(
            "not_called", "no handler was called under the plan",
            "not_called_either", "no handler and no client of AWS's was called under the plan",
            "other_thread", "AWS was called by other threads alone than the one that put the plan in force",
            "not_started", "no call came after the plan's `starts_at`",
            "expired", "no call came before the plan's `expires_at`");

    private Chances() {}

    /**
     * Looks for the classes of the plan's errors.
     *
     * @throws NoChanceException if one is not there
     */
    static void checkClasses(String plan, ClassLoader loader) {
        List<?> faults = (List<?>) Json.object(plan).getOrDefault("faults", List.of());
        List<Missed> unknown = new ArrayList<>();
        for (int i = 0; i < faults.size(); i++) {
            Map<?, ?> fault = (Map<?, ?>) faults.get(i);
            Object type = fault.get("type");
            Object ours = type instanceof Map ? ((Map<?, ?>) type).get("java") : type;
            if ("error".equals(fault.get("kind")) && ours instanceof String && !Faults.isKnown((String) ours, loader)) {
                unknown.add(new Missed(
                        "faults[" + i + "].type",
                        String.valueOf(fault.get("id")),
                        "unknown_error_type",
                        "expected an error class that takes a message, got `" + ours + "`"));
            }
        }
        refuse(unknown);
    }

    /**
     * Reads what the engine says.
     *
     * @param noChance ids and reasons in turn, in the plan's order: all of its faults or none
     * @param ofCalls whether the plan is about calls to AWS
     * @param elsewhere whether threads called AWS that the plan was not in force for
     * @throws NoChanceException if there are any
     */
    static void check(String[] noChance, boolean ofCalls, boolean elsewhere) {
        List<Missed> missed = new ArrayList<>();
        for (int i = 0; i < noChance.length / 2; i++) {
            String reason = noChance[2 * i + 1];
            boolean isUncalled = reason.equals("not_called");
            reason = isUncalled && elsewhere ? "other_thread" : reason;
            String means = MEANS.get(isUncalled && ofCalls && !elsewhere ? "not_called_either" : reason);
            missed.add(new Missed("faults[" + i + "]", noChance[2 * i], reason, means));
        }
        refuse(missed);
    }

    private static void refuse(List<Missed> missed) {
        if (!missed.isEmpty()) {
            throw new NoChanceException(missed);
        }
    }
}
