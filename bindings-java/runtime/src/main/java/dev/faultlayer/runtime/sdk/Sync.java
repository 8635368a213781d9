package dev.faultlayer.runtime.sdk;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import software.amazon.awssdk.http.AbortableInputStream;
import software.amazon.awssdk.http.ExecutableHttpRequest;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.HttpExecuteResponse;
import software.amazon.awssdk.http.SdkHttpClient;

/** Version 2 of the SDK, in its blocking clients. */
public final class Sync {
    private Sync() {}

    /** The client by which an attempt goes out: the SDK's own, or one that does what is injected. */
    public static SdkHttpClient instead(SdkHttpClient client, HttpExecuteRequest request, Object context) {
        if (Site.isIdle()) {
            return client;
        }
        try {
            String authorization = Facts.authorization(request.httpRequest());
            String operation = Facts.operation(context);
            if (Site.isNobodys(authorization, operation)) {
                return client;
            }
            Answer met = Site.ask(null, Facts.told(request.httpRequest(), authorization, operation));
            return met == null ? client : new Hit(client, met);
        } catch (Throwable trouble) {
            Site.trouble.accept(trouble);
            return client;
        }
    }

    /** For one attempt. */
    private static final class Hit implements SdkHttpClient {
        private final SdkHttpClient client;
        private final Answer met;

        Hit(SdkHttpClient client, Answer met) {
            this.client = client;
            this.met = met;
        }

        @Override
        public ExecutableHttpRequest prepareRequest(HttpExecuteRequest request) {
            return new Held(client, request, met);
        }

        @Override
        public String clientName() {
            return client.clientName();
        }

        @Override
        public void close() {
            client.close();
        }
    }

    private static final class Held implements ExecutableHttpRequest {
        private final SdkHttpClient client;
        private final HttpExecuteRequest request;
        private final Answer met;
        private final Hold hold = new Hold();
        private ExecutableHttpRequest real;
        private boolean aborted;

        Held(SdkHttpClient client, HttpExecuteRequest request, Answer met) {
            this.client = client;
            this.request = request;
            this.met = met;
        }

        @Override
        public HttpExecuteResponse call() throws IOException {
            try {
                return answer();
            } catch (Throwable error) {
                Site.clean(error);
                throw error;
            }
        }

        private HttpExecuteResponse answer() throws IOException {
            long limit = limit();
            if (!hold.hold(Math.min(limit, met.delayUs))) {
                throw new SocketException("Socket closed");
            }
            if (limit <= met.delayUs) {
                throw new SocketTimeoutException("Read timed out");
            }
            if (met.goesOut()) {
                return goOut().call();
            }
            HttpExecuteResponse.Builder response = HttpExecuteResponse.builder().response(Facts.response(met));
            if (met.body.length > 0) {
                response.responseBody(AbortableInputStream.create(new ByteArrayInputStream(met.body)));
            }
            return response.build();
        }

        private long limit() {
            try {
                return met.delayUs == 0 ? Long.MAX_VALUE : Facts.readTimeoutUs(client);
            } catch (Throwable unknown) {
                Site.trouble.accept(unknown);
                return Long.MAX_VALUE;
            }
        }

        private synchronized ExecutableHttpRequest goOut() {
            real = client.prepareRequest(request);
            if (aborted) {
                real.abort();
            }
            return real;
        }

        @Override
        public void abort() {
            hold.end();
            ExecutableHttpRequest under;
            synchronized (this) {
                aborted = true;
                under = real;
            }
            if (under != null) {
                under.abort();
            }
        }
    }
}
