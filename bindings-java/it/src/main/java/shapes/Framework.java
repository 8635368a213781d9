package shapes;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Proxy;
import java.util.function.Function;

/** As frameworks do it: the configured handler is theirs, and what it calls is found and wrapped at init. */
public class Framework implements RequestStreamHandler {
    private final Function<byte[], byte[]> bean = bean();

    @Override
    public void handleRequest(InputStream in, OutputStream out, Context context) throws IOException {
        out.write(bean.apply(in.readAllBytes()));
    }

    @SuppressWarnings("unchecked")
    private static Function<byte[], byte[]> bean() {
        return (Function<byte[], byte[]>) Proxy.newProxyInstance(
                Framework.class.getClassLoader(), new Class<?>[] {Function.class}, (proxy, method, arguments) -> {
                    byte[] event = (byte[]) arguments[0];
                    Work.maybeFail(new String(event, java.nio.charset.StandardCharsets.UTF_8));
                    return event;
                });
    }
}
