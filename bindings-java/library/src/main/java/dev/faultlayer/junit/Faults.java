package dev.faultlayer.junit;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Puts a plan in force for a test, or for each test of a class; the method's stands before the class's. The test takes it as a
 * parameter of type {@link dev.faultlayer.Faultlayer}, and wraps what it tests.
 *
 * <pre>{@code
 * @Test
 * @Faults("slow-payments.json")
 * void staysUsable(Faultlayer faults) {
 *     RequestHandler<Order, Receipt> handler = faults.wrap(new Checkout());
 *     ...
 * }
 * }</pre>
 */
@Documented
@Inherited
@Target({ElementType.METHOD, ElementType.TYPE})
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(FaultsExtension.class)
public @interface Faults {
    /** The plan's resource beside the test class or at the class path's root, else a file. */
    String value() default "";

    /** The plan itself as JSON, instead. */
    String plan() default "";

    /**
     * Whether a test fails whose faults had no chance to fire, as where it calls no handler under the plan, and one whose plan
     * names an error class that is not there.
     */
    boolean strict() default true;
}
