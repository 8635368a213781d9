package bench.bytebuddy;

import java.lang.instrument.Instrumentation;
import net.bytebuddy.agent.builder.AgentBuilder;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.matcher.ElementMatchers;

/** The usual way: AgentBuilder with a narrow matcher, advice that does nothing around the handler's method. */
public final class Agent {
    private Agent() {}

    public static void premain(String options, Instrumentation instrumentation) {
        new AgentBuilder.Default()
                .type(ElementMatchers.nameStartsWith("bench.Sample"))
                .transform((builder, type, loader, module, domain) ->
                        builder.visit(Advice.to(Nothing.class).on(ElementMatchers.named("handleRequest"))))
                .installOn(instrumentation);
    }

    /** Advice that is inlined into the handler. */
    public static final class Nothing {
        private Nothing() {}

        @Advice.OnMethodEnter
        static long enter() {
            return 0;
        }

        @Advice.OnMethodExit(onThrowable = Throwable.class)
        static void exit() {}
    }
}
