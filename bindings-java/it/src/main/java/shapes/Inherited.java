package shapes;

import java.util.Map;

/** Takes its handler from a generic parent, by a bridge method; the parent from an interface's default. */
public class Inherited extends Answering.Base<Map<String, Object>, String> {
    @Override
    protected String answer(Map<String, Object> event) {
        Work.maybeFail(event);
        return "inherited " + event.size();
    }
}
