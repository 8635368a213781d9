package dev.faultlayer.it;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;

/** Where an answer has the text that {@code corrupt} may change: what stands before and after that string. */
final class Text {
    final String before;
    final String after;

    private Text(String before, String after) {
        this.before = before;
        this.after = after;
    }

    /** Null if it has none. */
    static Text of(String answer) {
        try (JsonParser parser = Json.MAPPER.createParser(answer)) {
            JsonToken first = parser.nextToken();
            Text found = first == JsonToken.VALUE_STRING ? here(answer, parser) : null;
            if (first == JsonToken.START_OBJECT) {
                while (parser.nextToken() == JsonToken.FIELD_NAME) {
                    boolean body = parser.currentName().equals("body");
                    boolean string = parser.nextToken() == JsonToken.VALUE_STRING;
                    if (body) {
                        found = string ? here(answer, parser) : null;
                    }
                    parser.skipChildren();
                }
            }
            return found;
        } catch (IOException noJson) {
            return null;
        }
    }

    private static Text here(String answer, JsonParser parser) throws IOException {
        int start = (int) parser.currentTokenLocation().getCharOffset();
        parser.finishToken();
        int end = (int) parser.currentLocation().getCharOffset();
        return new Text(answer.substring(0, start), answer.substring(end));
    }
}
