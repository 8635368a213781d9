import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import software.amazon.event.ruler.JsonRuleCompiler;
import software.amazon.event.ruler.Machine;
import software.amazon.event.ruler.Patterns;
import software.amazon.event.ruler.RuleCompiler;
import software.amazon.event.ruler.Ruler;

/**
 * What the real event-ruler answers: reads lines {"pattern": ..., "event": ...} and writes true, false or "error: ..." for
 * each. Pattern and event reach the library as they were written, not parsed and written again.
 *
 * <p>With the argument --apart, each combination of one alternative per field is asked for by itself, in a machine of its
 * own and with the library's plain finder, and one match is enough. By the library's own description that is the same
 * question. Where the answers differ, automata that share states got into each other's way.
 */
public final class Answers {
    private static final JsonFactory JSON = new JsonFactory();

    private Answers() {}

    public static void main(String[] arguments) throws Exception {
        boolean apart = arguments.length > 0 && arguments[0].equals("--apart");
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream answers = new PrintStream(System.out, false, "UTF-8");
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            answers.println(answer(part(line, "pattern"), part(line, "event"), apart));
        }
        answers.flush();
    }

    private static String answer(String pattern, String event, boolean apart) {
        try {
            return String.valueOf(apart ? matchesApart(pattern, event) : Ruler.matchesRule(event, pattern));
        } catch (Exception | AssertionError refused) {
            // The pattern was accepted before the event was looked at; Faultlayer says that such an event never matches.
            if ("Event must be a JSON object".equals(refused.getMessage())) {
                return "false";
            }
            return "error: " + String.valueOf(refused.getMessage()).split("\n", 2)[0];
        }
    }

    private static boolean matchesApart(String pattern, String event) throws Exception {
        for (Map<String, List<Patterns>> branch : branches(pattern)) {
            if (matchesApart(new ArrayList<>(branch.entrySet()), 0, new HashMap<>(), event)) {
                return true;
            }
        }
        return false;
    }

    private static boolean matchesApart(
            List<Map.Entry<String, List<Patterns>>> fields, int index, Map<String, List<Patterns>> chosen, String event)
            throws Exception {
        if (index == fields.size()) {
            Machine machine = Machine.builder().withStructuredMatching(false).build();
            machine.addPatternRule("rule", chosen);
            return !machine.rulesForJSONEvent(event).isEmpty();
        }
        for (Patterns alternative : fields.get(index).getValue()) {
            chosen.put(fields.get(index).getKey(), Collections.singletonList(alternative));
            if (matchesApart(fields, index + 1, chosen, event)) {
                return true;
            }
        }
        return false;
    }

    /** As Machine.addRule reads a pattern. */
    private static List<Map<String, List<Patterns>>> branches(String pattern) throws Exception {
        try {
            return JsonRuleCompiler.compile(pattern);
        } catch (JsonParseException refused) {
            return Collections.singletonList(RuleCompiler.compile(pattern));
        }
    }

    private static String part(String line, String name) throws Exception {
        try (JsonParser parser = JSON.createParser(line)) {
            parser.nextToken();
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                boolean wanted = parser.currentName().equals(name);
                parser.nextToken();
                int start = (int) parser.currentTokenLocation().getCharOffset();
                parser.skipChildren();
                parser.finishToken();
                int end = (int) parser.currentLocation().getCharOffset();
                if (wanted) {
                    return line.substring(start, end);
                }
            }
        }
        throw new IllegalArgumentException("no " + name);
    }
}
