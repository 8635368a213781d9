package lambdainternal;

import java.io.ByteArrayOutputStream;

/** Where all handler shapes meet in the stand-in, as in the real clients. */
interface LambdaRequestHandler {
    ByteArrayOutputStream call(InvokeRequest request) throws Exception;
}
