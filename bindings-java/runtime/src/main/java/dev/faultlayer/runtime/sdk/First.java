package dev.faultlayer.runtime.sdk;

import com.amazonaws.Request;
import com.amazonaws.handlers.HandlerContextKey;
import com.amazonaws.http.apache.client.impl.ConnectionManagerAwareHttpClient;
import java.io.ByteArrayInputStream;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.util.Map;
import org.apache.http.HttpVersion;
import org.apache.http.client.config.RequestConfig;
import org.apache.http.client.methods.HttpRequestBase;
import org.apache.http.client.methods.HttpUriRequest;
import org.apache.http.entity.BasicHttpEntity;
import org.apache.http.impl.EnglishReasonPhraseCatalog;
import org.apache.http.message.BasicHttpResponse;

/** Version 1 of the SDK. */
public final class First {
    private First() {}

    /** As {@link Sync#instead}. */
    public static ConnectionManagerAwareHttpClient instead(
            ConnectionManagerAwareHttpClient client, HttpUriRequest request, Object call) {
        if (Site.isIdle()) {
            return client;
        }
        try {
            Map<String, String> headers = ((Request<?>) call).getHeaders();
            String authorization = headers.get("Authorization");
            String operation = ((Request<?>) call).getHandlerContext(HandlerContextKey.OPERATION_NAME);
            if (Site.isNobodys(authorization, operation)) {
                return client;
            }
            Answer met = Site.ask(null, told(request, headers, authorization, operation));
            return met == null ? client : hit(client, request, met);
        } catch (Throwable trouble) {
            Site.trouble.accept(trouble);
            return client;
        }
    }

    private static StringBuilder told(
            HttpUriRequest request, Map<String, String> headers, String authorization, String operation) {
        StringBuilder told = Site.told(request.getMethod(), request.getURI().toString());
        Site.tell(told, authorization);
        Site.tell(told, headers.get("X-Amz-Target"));
        Site.tell(told, headers.get("Content-Type"));
        String attempt = headers.get("amz-sdk-request");
        Site.tell(told, attempt == null ? headers.get("amz-sdk-retry") : attempt);
        Site.tell(told, operation);
        return told;
    }

    private static ConnectionManagerAwareHttpClient hit(
            ConnectionManagerAwareHttpClient client, HttpUriRequest request, Answer met) {
        return (ConnectionManagerAwareHttpClient) Proxy.newProxyInstance(
                First.class.getClassLoader(),
                new Class<?>[] {ConnectionManagerAwareHttpClient.class},
                new Hit(client, (HttpRequestBase) request, met));
    }

    /** The client, for one attempt. */
    private static final class Hit implements InvocationHandler {
        private final ConnectionManagerAwareHttpClient client;
        private final HttpRequestBase request;
        private final Answer met;

        Hit(ConnectionManagerAwareHttpClient client, HttpRequestBase request, Answer met) {
            this.client = client;
            this.request = request;
            this.met = met;
        }

        @Override
        public Object invoke(Object proxy, Method method, Object[] arguments) throws Throwable {
            try {
                return answer(method, arguments);
            } catch (InvocationTargetException own) {
                Site.clean(own.getCause());
                throw own.getCause();
            } catch (Throwable error) {
                Site.clean(error);
                throw error;
            }
        }

        private Object answer(Method method, Object[] arguments) throws Exception {
            if (method.getName().equals("execute")) {
                hold();
                if (!met.goesOut()) {
                    return response();
                }
            }
            return method.invoke(client, arguments);
        }

        private void hold() throws Exception {
            RequestConfig config = request.getConfig();
            long limit = config == null || config.getSocketTimeout() <= 0
                    ? Long.MAX_VALUE
                    : config.getSocketTimeout() * 1000L;
            Hold hold = new Hold();
            // By the SDK's own timeouts, which take the request back.
            request.setCancellable(() -> {
                hold.end();
                return true;
            });
            if (!hold.hold(Math.min(limit, met.delayUs)) || request.isAborted()) {
                throw new SocketException("Socket closed");
            }
            if (limit <= met.delayUs) {
                throw new SocketTimeoutException("Read timed out");
            }
        }

        private Object response() {
            String reason = EnglishReasonPhraseCatalog.INSTANCE.getReason(met.status, null);
            BasicHttpResponse response = new BasicHttpResponse(HttpVersion.HTTP_1_1, met.status, reason);
            for (int i = 0; i < met.headers.length; i += 2) {
                response.addHeader(met.headers[i], met.headers[i + 1]);
            }
            if (met.body.length > 0) {
                BasicHttpEntity body = new BasicHttpEntity();
                body.setContent(new ByteArrayInputStream(met.body));
                body.setContentLength(met.body.length);
                response.setEntity(body);
            }
            return response;
        }
    }
}
