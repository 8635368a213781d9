import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.StringJoiner;
import software.amazon.event.ruler.Machine;

/**
 * Events a second that event-ruler holds against a machine of rules, round by round, in a JVM that is warm; JSON on standard
 * output.
 *
 * <p>Arguments: a file with a rule a line, a file with an event a line, rounds.
 */
public final class Matches {
    private Matches() {}

    public static void main(String[] arguments) throws Exception {
        List<String> rules = Files.readAllLines(Path.of(arguments[0]));
        List<String> events = Files.readAllLines(Path.of(arguments[1]));
        Machine machine = new Machine();
        for (int number = 0; number < rules.size(); number++) {
            machine.addRule("rule-" + number, rules.get(number));
        }
        // Until its compilers are done.
        long end = System.nanoTime() + 3_000_000_000L;
        int matched = 0;
        while (System.nanoTime() < end) {
            matched = round(machine, events);
        }
        StringJoiner rates = new StringJoiner(",");
        for (int round = 0; round < Integer.parseInt(arguments[2]); round++) {
            long begun = System.nanoTime();
            round(machine, events);
            rates.add(Double.toString(events.size() * 1e9 / (System.nanoTime() - begun)));
        }
        System.out.println("{\"matched\": " + matched + ", \"events_per_s\": [" + rates + "]}");
    }

    private static int round(Machine machine, List<String> events) throws Exception {
        int matched = 0;
        for (String event : events) {
            matched += machine.rulesForJSONEvent(event).size();
        }
        return matched;
    }
}
