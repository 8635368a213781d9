package dev.faultlayer.runtime.sdk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import org.reactivestreams.Publisher;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;
import software.amazon.awssdk.http.async.AsyncExecuteRequest;
import software.amazon.awssdk.http.async.SdkAsyncHttpClient;

/** Version 2 of the SDK, in its asynchronous clients. Nobody's thread waits: a timer's, which is Faultlayer's own, goes on. */
public final class Async {
    /** S3's own in C, which makes whole transfers of what looks like a request. */
    private static final String NOT_HTTP = "S3CrtAsyncHttpClient";

    private Async() {}

    /** As {@link Sync#instead}. The context stands for the call, whose attempts come from several threads. */
    public static SdkAsyncHttpClient instead(SdkAsyncHttpClient client, AsyncExecuteRequest request, Object context) {
        if (Site.isIdle()) {
            return client;
        }
        try {
            if (client.getClass().getSimpleName().equals(NOT_HTTP)) {
                return client;
            }
            String authorization = Facts.authorization(request.request());
            String operation = Facts.operation(context);
            if (Site.isNobodys(authorization, operation)) {
                return client;
            }
            Answer met = Site.ask(context, Facts.told(request.request(), authorization, operation));
            return met == null ? client : new Hit(client, met);
        } catch (Throwable trouble) {
            Site.trouble.accept(trouble);
            return client;
        }
    }

    /** For one attempt. */
    private static final class Hit implements SdkAsyncHttpClient {
        private final SdkAsyncHttpClient client;
        private final Answer met;

        Hit(SdkAsyncHttpClient client, Answer met) {
            this.client = client;
            this.met = met;
        }

        @Override
        public CompletableFuture<Void> execute(AsyncExecuteRequest request) {
            Held held = new Held(client, request, met);
            ScheduledFuture<?> waiting = Timer.THREAD.schedule(held, held.waitUs, TimeUnit.MICROSECONDS);
            held.done.whenComplete((nothing, error) -> {
                if (error != null) {
                    waiting.cancel(false);
                }
            });
            return held.done;
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

    private static final class Held implements Runnable {
        private final SdkAsyncHttpClient client;
        private final AsyncExecuteRequest request;
        private final Answer met;
        private final boolean timesOut;
        final long waitUs;
        final CompletableFuture<Void> done = new CompletableFuture<>();

        Held(SdkAsyncHttpClient client, AsyncExecuteRequest request, Answer met) {
            this.client = client;
            this.request = request;
            this.met = met;
            long limit = limit();
            timesOut = limit <= met.delayUs;
            waitUs = Math.min(limit, met.delayUs);
        }

        private long limit() {
            try {
                return met.delayUs == 0 ? Long.MAX_VALUE : Facts.readTimeoutUs(client);
            } catch (Throwable unknown) {
                Site.trouble.accept(unknown);
                return Long.MAX_VALUE;
            }
        }

        @Override
        public void run() {
            if (done.isDone()) {
                return;
            }
            try {
                if (timesOut) {
                    fail(timedOut());
                } else if (met.goesOut()) {
                    goOut();
                } else {
                    request.responseHandler().onHeaders(Facts.response(met));
                    request.responseHandler().onStream(new Body(met.body, done));
                }
            } catch (Throwable trouble) {
                done.completeExceptionally(trouble);
            }
        }

        private void goOut() {
            CompletableFuture<Void> real = client.execute(request);
            real.whenComplete((nothing, error) -> {
                if (error == null) {
                    done.complete(nothing);
                } else {
                    Site.clean(error);
                    done.completeExceptionally(error);
                }
            });
            done.whenComplete((nothing, error) -> {
                if (error != null) {
                    real.completeExceptionally(error);
                }
            });
        }

        private void fail(Throwable error) {
            Site.clean(error);
            request.responseHandler().onError(error);
            done.completeExceptionally(error);
        }

        /** As from Netty, where it is Netty that is used. */
        private Throwable timedOut() {
            Throwable cause = null;
            try {
                Class<?> type = Class.forName(
                        "io.netty.handler.timeout.ReadTimeoutException",
                        true,
                        client.getClass().getClassLoader());
                cause = (Throwable) type.getField("INSTANCE").get(null);
            } catch (ReflectiveOperationException | LinkageError absent) {
                // Another client.
            }
            return new IOException("Read timed out", cause);
        }
    }

    /** An answer's body, in one piece. */
    private static final class Body implements Publisher<ByteBuffer>, Subscription {
        private final byte[] bytes;
        private final CompletableFuture<Void> done;
        private Subscriber<? super ByteBuffer> subscriber;
        private boolean over;

        Body(byte[] bytes, CompletableFuture<Void> done) {
            this.bytes = bytes;
            this.done = done;
        }

        @Override
        public void subscribe(Subscriber<? super ByteBuffer> asking) {
            subscriber = asking;
            asking.onSubscribe(this);
            if (bytes.length == 0) {
                request(1);
            }
        }

        @Override
        public void request(long many) {
            if (over) {
                return;
            }
            over = true;
            if (bytes.length > 0) {
                subscriber.onNext(ByteBuffer.wrap(bytes));
            }
            subscriber.onComplete();
            done.complete(null);
        }

        @Override
        public void cancel() {
            over = true;
            done.complete(null);
        }
    }

    /** Made when it is first needed; ends with the process. */
    private static final class Timer implements ThreadFactory {
        static final ScheduledThreadPoolExecutor THREAD = new ScheduledThreadPoolExecutor(1, new Timer());

        @Override
        public Thread newThread(Runnable work) {
            Thread thread = new Thread(work, "faultlayer-timer");
            thread.setDaemon(true);
            return thread;
        }
    }
}
