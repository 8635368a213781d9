import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import software.amazon.event.ruler.Machine;

/**
 * Events a second that event-ruler holds against a machine of rules, in a JVM that is warm: first how many rules matched, then
 * the rate of a round for each line of standard input, each on a line.
 *
 * <p>Arguments: a file with a rule a line, a file with an event a line.
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
        System.out.println(matched);
        BufferedReader asked = new BufferedReader(new InputStreamReader(System.in));
        while (asked.readLine() != null) {
            long begun = System.nanoTime();
            round(machine, events);
            System.out.println(events.size() * 1e9 / (System.nanoTime() - begun));
        }
    }

    private static int round(Machine machine, List<String> events) throws Exception {
        int matched = 0;
        for (String event : events) {
            matched += machine.rulesForJSONEvent(event).size();
        }
        return matched;
    }
}
