package bench;

import com.amazonaws.services.lambda.runtime.api.client.runtimeapi.dto.InvocationRequest;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.Method;

/** The client's interface is its package's alone; a method handle calls it without reflection's cost. */
final class Caller {
    private final MethodHandle call;

    private Caller(MethodHandle call) {
        this.call = call;
    }

    static Caller of(Object handler) throws Exception {
        Method method = handler.getClass().getDeclaredMethod("call", InvocationRequest.class);
        method.setAccessible(true);
        return new Caller(MethodHandles.lookup().unreflect(method).bindTo(handler)
                .asType(java.lang.invoke.MethodType.methodType(Object.class, InvocationRequest.class)));
    }

    Object call(InvocationRequest request) throws Exception {
        try {
            return call.invokeExact(request);
        } catch (Exception thrown) {
            throw thrown;
        } catch (Throwable thrown) {
            throw new IllegalStateException(thrown);
        }
    }
}
