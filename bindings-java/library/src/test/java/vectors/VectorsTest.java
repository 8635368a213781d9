package vectors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.faultlayer.Faultlayer;
import dev.faultlayer.Plan;
import dev.faultlayer.runtime.Native;
import dev.faultlayer.runtime.Step;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The shared vectors through the native methods: the same steps, the same record lines, the same refusals. */
class VectorsTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path FOLDER = Path.of(System.getProperty("faultlayer.vectors"));
    private static final String[] OUTCOMES = {"run", "error", "response", "exit", "timeout", "corrupt"};

    private static final String[] TOLD = {
        "method", "url", "authorization", "target", "content_type", "retry", "operation"
    };

    @BeforeAll
    static void loadsTheLibrary() {
        Faultlayer.of(Plan.experiment("vectors").neverExpires()).close();
    }

    @TestFactory
    List<DynamicTest> decisions() throws IOException {
        List<DynamicTest> tests = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(FOLDER, "decisions*.json")) {
            for (Path file : files) {
                for (JsonNode vector : JSON.readTree(file.toFile())) {
                    tests.add(DynamicTest.dynamicTest(vector.get("name").asText(), () -> decide(vector)));
                }
            }
        }
        assertTrue(tests.size() >= 50, () -> tests.size() + " vectors");
        return tests;
    }

    @Test
    void anIdThatIsQuietIsOneThatNothingIsDrawnForWhicheverCharactersItHasAndHoweverMany() {
        String plan =
                "{\"version\":1,\"expires_at\":\"never\",\"faults\":[{\"id\":\"a\",\"kind\":\"exit\",\"rate\":0.5}]}";
        long host = Long.parseLong(Native.library(plan, null)[0]);
        int quiet = 0;
        // From the first call on.
        boolean isOpen = false;
        try {
            for (int length : new int[] {0, 1, 35, 36, 47, 48, 49, 200}) {
                for (String end :
                        new String[] {"", "a", "\u007f", "\u0080", "\u0141", "\u4e61", "\ud83e\udd80", "\ud800"}) {
                    for (String begin : new String[] {"x", "y", "z"}) {
                        String id = begin.repeat(length) + end;
                        boolean isQuiet = Native.isQuiet(host, id, id.length());
                        long session = Native.decide(
                                host, id, Native.ABSENT, null, null, null, Native.ABSENT, Native.reads(host));
                        // Long ones, and those of other characters, are left to the whole question.
                        boolean isPlain = id.length() <= 48 && id.chars().allMatch(unit -> unit < 0x80);
                        assertEquals(isPlain && isOpen && session == 0, isQuiet, id);
                        isOpen = true;
                        quiet += isQuiet ? 1 : 0;
                        if (session != 0) {
                            Native.end(session);
                        }
                    }
                }
            }
        } finally {
            Native.free(host);
        }
        assertTrue(quiet > 20, quiet + " quiet");
    }

    @TestFactory
    List<DynamicTest> calls() throws IOException {
        List<DynamicTest> tests = new ArrayList<>();
        for (JsonNode vector : JSON.readTree(FOLDER.resolve("calls.json").toFile())) {
            tests.add(DynamicTest.dynamicTest(vector.get("name").asText(), () -> meet(vector)));
        }
        assertTrue(tests.size() >= 20);
        return tests;
    }

    private static void meet(JsonNode vector) throws IOException {
        long host = Long.parseLong(Native.library(plan(vector.get("plan")), null)[0]);
        ObjectNode seen = JSON.createObjectNode();
        try {
            long session = Native.decide(
                    host,
                    vector.get("request_id").asText(),
                    number(vector.path("deadline_ms")),
                    null,
                    null,
                    null,
                    number(vector.path("now_us")),
                    Native.reads(host));
            List<Step> steps = new ArrayList<>();
            steps.add(Step.of(Native.before(session, Native.ABSENT)));
            long calls = vector.get("carries_calls").asBoolean() ? Native.calls(session) : 0;
            ArrayNode met = seen.putArray("met");
            for (JsonNode request : vector.get("requests")) {
                met.add(met(calls, request));
            }
            JsonNode end = vector.get("end");
            long now = number(end.path("now_us"));
            boolean isFailed = end.get("how").asText().equals("failed");
            steps.add(Step.of(isFailed ? Native.failed(session, now) : Native.returned(session, null, now)));
            Native.end(session);
            ArrayNode records = seen.putArray("records");
            for (Step step : steps) {
                for (int i = 0; i < step.records(); i++) {
                    records.add(step.record(i));
                }
            }
        } finally {
            Native.free(host);
        }
        assertEquals(vector.get("expect"), JSON.readTree(seen.toString()));
    }

    private static JsonNode met(long calls, JsonNode request) throws IOException {
        StringBuilder told = new StringBuilder();
        for (String part : TOLD) {
            told.append(request.path(part).asText("")).append('\n');
        }
        String body = text(request.path("body"));
        byte[] form = Native.met(
                calls,
                told.toString().getBytes(StandardCharsets.UTF_8),
                body == null ? null : body.getBytes(StandardCharsets.UTF_8),
                number(request.path("now_us")));
        ObjectNode met = JSON.createObjectNode();
        if (form == null) {
            return met.put("delay_us", 0).set("answer", null);
        }
        DataInputStream in = new DataInputStream(new ByteArrayInputStream(form));
        met.put("delay_us", in.readLong());
        int status = in.readUnsignedShort();
        if (status == 0) {
            return met.set("answer", null);
        }
        ObjectNode answer = met.putObject("answer").put("status", status);
        ObjectNode headers = answer.putObject("headers");
        for (int left = in.readUnsignedShort(); left > 0; left -= 2) {
            headers.put(string(in), string(in));
        }
        byte[] bytes = in.readAllBytes();
        String text = new String(bytes, StandardCharsets.UTF_8);
        boolean isText = Arrays.equals(text.getBytes(StandardCharsets.UTF_8), bytes);
        answer.put(
                isText ? "body" : "body_hex",
                isText ? text : String.format("%0" + 2 * bytes.length + "x", new BigInteger(1, bytes)));
        return met;
    }

    private static String string(DataInputStream in) throws IOException {
        return new String(in.readNBytes(in.readUnsignedShort()), StandardCharsets.UTF_8);
    }

    @TestFactory
    List<DynamicTest> refusals() throws IOException {
        List<DynamicTest> tests = new ArrayList<>();
        for (JsonNode vector : JSON.readTree(FOLDER.resolve("refusals.json").toFile())) {
            tests.add(DynamicTest.dynamicTest(vector.get("name").asText(), () -> {
                String[] made = Native.library(plan(vector.get("plan")), null);
                JsonNode expect = vector.get("expect");
                if (expect == null || expect.isNull()) {
                    assertNull(made.length > 1 ? made[1] : null);
                    Native.free(Long.parseLong(made[0]));
                } else {
                    assertEquals(expect, JSON.readTree(made[1]));
                }
            }));
        }
        assertTrue(tests.size() >= 10);
        return tests;
    }

    private static String plan(JsonNode plan) {
        return plan.isTextual() ? plan.asText() : plan.toString();
    }

    private static void decide(JsonNode vector) throws IOException {
        String plan = plan(vector.get("plan"));
        String[] made = Native.library(plan, identity(vector.path("identity")));
        long host = Long.parseLong(made[0]);
        try {
            for (int i = 0; i < vector.get("calls").size(); i++) {
                call(
                        host,
                        vector,
                        vector.get("calls").get(i),
                        vector.get("expect").get(i));
            }
        } finally {
            Native.free(host);
        }
    }

    private static void call(long host, JsonNode vector, JsonNode call, JsonNode expect) throws IOException {
        boolean streaming = call.path("streaming").asBoolean();
        JsonNode event = call.get("event");
        long session = Native.decide(
                host,
                call.get("request_id").asText(),
                number(call.path("deadline_ms")),
                text(call.path("function_arn")),
                call.path("client_context").isMissingNode()
                        ? null
                        : call.get("client_context").toString(),
                event == null ? null : event.toString().getBytes(StandardCharsets.UTF_8),
                number(call.path("now_us")),
                Native.reads(host));
        List<Step> steps = new ArrayList<>();
        List<String> records = new ArrayList<>();
        if (session != 0) {
            steps.add(Step.of(Native.before(session, Native.ABSENT)));
            for (JsonNode then : call.get("then")) {
                if (then.has("returned")) {
                    JsonNode told = then.get("returned");
                    byte[] answer = told.get("text").isNull()
                            ? "null".getBytes(StandardCharsets.UTF_8)
                            : told.get("text").toString().getBytes(StandardCharsets.UTF_8);
                    steps.add(Step.of(Native.returned(session, answer, number(told.path("now_us")))));
                } else if (then.has("failed")) {
                    steps.add(Step.of(
                            Native.failed(session, number(then.get("failed").path("now_us")))));
                }
            }
            Native.end(session);
            for (Step step : steps) {
                for (int i = 0; i < step.records(); i++) {
                    records.add(step.record(i));
                }
            }
        }
        // Java's handlers do not stream: what is drawn is the same there, what becomes of it is not.
        if (streaming) {
            assertEquals(expect.get("records").size() > 0, !records.isEmpty());
            return;
        }
        List<String> lines = new ArrayList<>();
        expect.get("records").forEach(record -> lines.add(record.asText()));
        assertEquals(lines, records);
        assertEquals(expect.get("steps").isNull() ? 0 : expect.get("steps").size(), steps.size());
        for (int i = 0; i < steps.size(); i++) {
            assertStep(
                    (ObjectNode) expect.get("steps").get(i),
                    steps.get(i),
                    vector.get("language").asText());
        }
    }

    private static void assertStep(ObjectNode expect, Step step, String language) throws IOException {
        assertEquals(expect.get("delay_us").asLong(), step.delayUs);
        assertEquals(expect.get("outcome").asText(), OUTCOMES[step.outcome]);
        switch (step.outcome) {
            case Step.ERROR:
                // A class that the plan names by language is another one here.
                if (language.equals("java")) {
                    assertEquals(expect.get("type").asText(), step.first);
                }
                assertEquals(expect.get("message").asText(), step.second);
                break;
            case Step.RESPONSE:
                assertEquals(binary64(expect.get("answer")), binary64(JSON.readTree(step.first)));
                break;
            case Step.EXIT:
                assertEquals(expect.get("code").asLong(), step.number());
                break;
            case Step.TIMEOUT:
                assertEquals(expect.get("hold_us").asLong(), step.number());
                assertEquals(expect.get("message").asText(), step.second);
                break;
            case Step.CORRUPT:
                assertEquals(
                        expect.get("text").asText(), JSON.readTree(step.first).asText());
                break;
            default:
                break;
        }
    }

    /** The file of vectors keeps numbers as binary64, the engine an answer's as they were written. */
    private static String binary64(JsonNode node) {
        if (node.isNumber()) {
            return Double.toString(node.asDouble());
        }
        StringBuilder out = new StringBuilder();
        if (node.isObject()) {
            node.properties().forEach(entry -> out.append(entry.getKey())
                    .append('=')
                    .append(binary64(entry.getValue()))
                    .append(';'));
        } else if (node.isArray()) {
            node.forEach(element -> out.append(binary64(element)).append(','));
        } else {
            return node.toString();
        }
        return node.getNodeType() + "(" + out + ")";
    }

    private static String[] identity(JsonNode identity) {
        return new String[] {
            text(identity.path("function_name")),
            text(identity.path("function_version")),
            text(identity.path("memory_mb")),
            text(identity.path("runtime")),
        };
    }

    private static String text(JsonNode node) {
        return node.isMissingNode() || node.isNull() ? null : node.asText();
    }

    private static long number(JsonNode node) {
        return node.isMissingNode() || node.isNull() ? Long.MIN_VALUE : node.asLong();
    }
}
