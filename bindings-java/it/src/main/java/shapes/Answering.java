package shapes;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;

/** The handler method as a default, for {@link Inherited}. */
public interface Answering<I, O> extends RequestHandler<I, O> {
    @Override
    default O handleRequest(I event, Context context) {
        return respond(event);
    }

    O respond(I event);

    /** Between the interface and the function. */
    abstract class Base<I, O> implements Answering<I, O> {
        @Override
        public O respond(I event) {
            return answer(event);
        }

        protected abstract O answer(I event);
    }
}
