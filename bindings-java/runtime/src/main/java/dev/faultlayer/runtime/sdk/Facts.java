package dev.faultlayer.runtime.sdk;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.time.Duration;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.SdkExecutionAttribute;
import software.amazon.awssdk.core.internal.http.RequestExecutionContext;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.SdkHttpConfigurationOption;
import software.amazon.awssdk.http.SdkHttpFullResponse;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.async.SdkAsyncHttpClient;
import software.amazon.awssdk.utils.AttributeMap;

/** What is the same in both kinds of clients of the SDK's version 2. */
final class Facts {
    private Facts() {}

    static String authorization(SdkHttpRequest request) {
        return header(request, "Authorization");
    }

    /** Null where the SDK does not tell it. */
    static String operation(Object context) {
        if (!(context instanceof RequestExecutionContext)) {
            return null;
        }
        ExecutionAttributes attributes = ((RequestExecutionContext) context).executionAttributes();
        return attributes.getAttribute(SdkExecutionAttribute.OPERATION_NAME);
    }

    /** What both of its kinds of clients know of a call. */
    static StringBuilder told(SdkHttpRequest request, String authorization, String operation) {
        StringBuilder told = Site.told(request.method().name(), "https://")
                .append(request.host())
                .append(request.encodedPath());
        if (!request.rawQueryParameters().isEmpty()) {
            told.append('?').append(request.encodedQueryParameters().orElse(""));
        }
        Site.tell(told, authorization);
        Site.tell(told, header(request, "X-Amz-Target"));
        Site.tell(told, header(request, "Content-Type"));
        Site.tell(told, header(request, "amz-sdk-request"));
        Site.tell(told, operation);
        return told;
    }

    private static String header(SdkHttpRequest request, String name) {
        return request.firstMatchingHeader(name).orElse(null);
    }

    static SdkHttpFullResponse response(Answer answer) {
        SdkHttpFullResponse.Builder response = SdkHttpFullResponse.builder().statusCode(answer.status);
        for (int i = 0; i < answer.headers.length; i += 2) {
            response.appendHeader(answer.headers[i], answer.headers[i + 1]);
        }
        return response.build();
    }

    /** How long a client waits for an answer, in microseconds: without an end where it does not say. */
    static long readTimeoutUs(Object client) throws ReflectiveOperationException {
        for (Class<?> type = client.getClass(); type != null; type = type.getSuperclass()) {
            for (Field field : type.getDeclaredFields()) {
                Object held = holds(field) ? get(field, client) : null;
                if (held instanceof SdkHttpClient || held instanceof SdkAsyncHttpClient) {
                    return readTimeoutUs(held);
                }
                if (held instanceof AttributeMap) {
                    Duration limit = ((AttributeMap) held).get(SdkHttpConfigurationOption.READ_TIMEOUT);
                    return limit == null || limit.isZero() ? Long.MAX_VALUE : limit.toNanos() / 1000;
                }
                if (held != null && isOptions(field.getType())) {
                    int limit =
                            (int) held.getClass().getMethod("readTimeoutMillis").invoke(held);
                    return limit == 0 ? Long.MAX_VALUE : limit * 1000L;
                }
            }
        }
        return Long.MAX_VALUE;
    }

    private static boolean holds(Field field) {
        boolean isOwn = !Modifier.isStatic(field.getModifiers());
        return isOwn && (field.getName().equals("delegate") || isOptions(field.getType()));
    }

    private static boolean isOptions(Class<?> type) {
        return type == AttributeMap.class || type.getSimpleName().equals("NettyConfiguration");
    }

    private static Object get(Field field, Object of) throws ReflectiveOperationException {
        field.setAccessible(true);
        return field.get(of);
    }
}
