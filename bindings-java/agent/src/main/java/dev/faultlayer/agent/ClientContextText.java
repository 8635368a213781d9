package dev.faultlayer.agent;

import java.lang.reflect.Method;
import java.util.Map;

/**
 * The client context as JSON. The client has parsed it already and hands out an object, so it is written again, from the
 * interface's getters; needed only for a plan that looks at it.
 */
final class ClientContextText {
    private static final String[] CLIENT = {
        "installation_id",
        "getInstallationId",
        "app_title",
        "getAppTitle",
        "app_version_name",
        "getAppVersionName",
        "app_version_code",
        "getAppVersionCode",
        "app_package_name",
        "getAppPackageName",
    };

    private ClientContextText() {}

    /** Null if the invocation has none. */
    static String of(Object context) throws ReflectiveOperationException {
        Object given = context == null ? null : get(context, "getClientContext");
        if (given == null) {
            return null;
        }
        StringBuilder out = new StringBuilder(128).append('{');
        object(out, "custom", (Map<?, ?>) get(given, "getCustom"));
        object(out, "env", (Map<?, ?>) get(given, "getEnvironment"));
        Object client = get(given, "getClient");
        if (client != null) {
            key(out, "client").append('{');
            for (int i = 0; i < CLIENT.length; i += 2) {
                Object value = get(client, CLIENT[i + 1]);
                if (value != null) {
                    string(key(out, CLIENT[i]), value.toString());
                }
            }
            out.append('}');
        }
        return out.append('}').toString();
    }

    private static void object(StringBuilder out, String name, Map<?, ?> values) {
        if (values == null) {
            return;
        }
        key(out, name).append('{');
        for (Map.Entry<?, ?> entry : values.entrySet()) {
            value(key(out, String.valueOf(entry.getKey())), entry.getValue());
        }
        out.append('}');
    }

    /** The interface says strings; a lenient client may have put in numbers. */
    private static void value(StringBuilder out, Object value) {
        if (value == null || value instanceof Boolean || value instanceof Number) {
            out.append(value);
        } else {
            string(out, value.toString());
        }
    }

    private static StringBuilder key(StringBuilder out, String name) {
        if (out.charAt(out.length() - 1) != '{') {
            out.append(',');
        }
        string(out, name);
        return out.append(':');
    }

    private static void string(StringBuilder out, String text) {
        out.append('"');
        OwnRecord.escape(text, out);
        out.append('"');
    }

    /** By the interface that declares it: the client's class itself may not be public. */
    private static Object get(Object of, String method) throws ReflectiveOperationException {
        for (Class<?> type = of.getClass(); type != null; type = type.getSuperclass()) {
            for (Class<?> face : type.getInterfaces()) {
                for (Method candidate : face.getMethods()) {
                    if (candidate.getName().equals(method) && candidate.getParameterCount() == 0) {
                        return candidate.invoke(of);
                    }
                }
            }
        }
        Method own = of.getClass().getMethod(method);
        own.setAccessible(true);
        return own.invoke(of);
    }
}
