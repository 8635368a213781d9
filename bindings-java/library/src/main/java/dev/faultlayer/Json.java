package dev.faultlayer;

import com.amazonaws.services.lambda.runtime.serialization.factories.JacksonFactory;
import java.util.Collection;
import java.util.Map;

/** Writes plans, and reads what the engine says, with the runtime client's own parser. */
final class Json {
    private Json() {}

    @SuppressWarnings("unchecked")
    static Map<String, Object> object(String text) {
        return (Map<String, Object>)
                JacksonFactory.getInstance().getSerializer(Map.class).fromJson(text);
    }

    /** Text that is JSON already. */
    static final class Raw {
        private final String text;

        Raw(String text) {
            this.text = text;
        }
    }

    /** Maps, collections, strings, numbers, booleans, null, and {@link Raw}; anything else by its {@code toString}. */
    static String write(Object value) {
        StringBuilder out = new StringBuilder();
        write(value, out);
        return out.toString();
    }

    private static void write(Object value, StringBuilder out) {
        if (value == null || value instanceof Boolean || value instanceof Number) {
            out.append(value);
        } else if (value instanceof Raw) {
            out.append(((Raw) value).text);
        } else if (value instanceof Map) {
            String separator = "{";
            for (Map.Entry<?, ?> entry : ((Map<?, ?>) value).entrySet()) {
                out.append(separator);
                string(String.valueOf(entry.getKey()), out);
                out.append(':');
                write(entry.getValue(), out);
                separator = ",";
            }
            out.append(((Map<?, ?>) value).isEmpty() ? "{}" : "}");
        } else if (value instanceof Collection) {
            String separator = "[";
            for (Object element : (Collection<?>) value) {
                out.append(separator);
                write(element, out);
                separator = ",";
            }
            out.append(((Collection<?>) value).isEmpty() ? "[]" : "]");
        } else {
            string(value.toString(), out);
        }
    }

    private static void string(String text, StringBuilder out) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < ' ') {
                out.append(String.format("\\u%04x", (int) c));
            } else {
                out.append(c);
            }
        }
        out.append('"');
    }
}
