package dev.faultlayer.it;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Plans of the tests: each fault at a rate low enough that request ids can be found which meet it alone. */
final class Plans {
    static final long SEED = 7;
    static final double RATE = 0.1;

    private Plans() {}

    static String plan(List<Map<String, Object>> faults) {
        Map<String, Object> plan = new LinkedHashMap<>();
        plan.put("version", 1);
        plan.put("experiment", "java");
        plan.put("seed", SEED);
        plan.put("expires_at", "2099-01-01T00:00:00Z");
        plan.put("faults", faults);
        if (System.getenv("FAULTLAYER_TESTS_NOBODY") != null) {
            // A host that nobody calls, with which all of the tests must hold.
            Map<String, Object> nobody = fault("nobody", "network", 1e-15, "effect", "refuse");
            nobody.put("target", Map.of("host", List.of("nobody.example")));
            List<Map<String, Object>> more = new ArrayList<>(faults);
            more.add(nobody);
            plan.put("faults", more);
        }
        return Json.text(plan);
    }

    /** {@code fields} are names and values in turn. */
    static Map<String, Object> fault(String id, String kind, double rate, Object... fields) {
        Map<String, Object> fault = new LinkedHashMap<>();
        fault.put("id", id);
        fault.put("kind", kind);
        fault.put("rate", rate);
        for (int i = 0; i < fields.length; i += 2) {
            fault.put((String) fields[i], fields[i + 1]);
        }
        return fault;
    }

    static String idFor(List<Map<String, Object>> faults, String wanted) {
        List<String> ids = new ArrayList<>();
        faults.forEach(fault -> ids.add((String) fault.get("id")));
        return Sampling.idFor(SEED, RATE, ids, wanted);
    }
}
