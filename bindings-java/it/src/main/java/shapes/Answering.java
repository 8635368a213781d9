package shapes;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;

/** The handler method as a default, for {@link Inherited}. */
public interface Answering<I> extends RequestHandler<I, String> {
    @Override
    default String handleRequest(I event, Context context) {
        return respond(event);
    }

    String respond(I event);

    /** Between the interface and the function. */
    abstract class Base<I> implements Answering<I> {
        @Override
        public String respond(I event) {
            return answer(event);
        }

        protected abstract String answer(I event);
    }
}
