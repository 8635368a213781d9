package dev.faultlayer;

import com.amazonaws.services.lambda.runtime.Client;
import com.amazonaws.services.lambda.runtime.ClientContext;
import java.util.LinkedHashMap;
import java.util.Map;

/** The client context as JSON, under the names that it has on the wire. */
final class ClientContextText {
    private ClientContextText() {}

    static String of(ClientContext context) {
        Map<String, Object> all = new LinkedHashMap<>();
        put(all, "custom", context.getCustom());
        put(all, "env", context.getEnvironment());
        Client client = context.getClient();
        if (client != null) {
            Map<String, Object> fields = new LinkedHashMap<>();
            put(fields, "installation_id", client.getInstallationId());
            put(fields, "app_title", client.getAppTitle());
            put(fields, "app_version_name", client.getAppVersionName());
            put(fields, "app_version_code", client.getAppVersionCode());
            put(fields, "app_package_name", client.getAppPackageName());
            all.put("client", fields);
        }
        return Json.write(all);
    }

    private static void put(Map<String, Object> fields, String name, Object value) {
        if (value != null) {
            fields.put(name, value);
        }
    }
}
