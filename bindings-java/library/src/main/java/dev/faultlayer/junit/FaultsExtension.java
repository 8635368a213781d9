package dev.faultlayer.junit;

import dev.faultlayer.Faultlayer;
import dev.faultlayer.NoChanceException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionConfigurationException;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/** Carries {@link Faults} out: a plan that does not hold fails the test, and what is wrong stands in its failure. */
public final class FaultsExtension implements BeforeEachCallback, AfterEachCallback, ParameterResolver {
    private static final Namespace NAMESPACE = Namespace.create(FaultsExtension.class);

    /** JUnit makes it. */
    public FaultsExtension() {}

    @Override
    public void beforeEach(ExtensionContext context) {
        faults(context);
    }

    @Override
    public void afterEach(ExtensionContext context) {
        Faultlayer faults = context.getStore(NAMESPACE).remove(Faultlayer.class, Faultlayer.class);
        if (faults == null) {
            return;
        }
        try {
            faults.close();
        } catch (NoChanceException missed) {
            // A test that has failed or was given up tells why itself.
            if (context.getExecutionException().isEmpty()) {
                throw missed;
            }
        }
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == Faultlayer.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        return faults(context);
    }

    /** The test's own, made once. */
    private static Faultlayer faults(ExtensionContext context) {
        return context.getStore(NAMESPACE)
                .getOrComputeIfAbsent(Faultlayer.class, key -> open(context), Faultlayer.class);
    }

    private static Faultlayer open(ExtensionContext context) {
        Faults faults = context.getTestMethod()
                .map(method -> method.getAnnotation(Faults.class))
                .or(() -> annotated(context.getRequiredTestClass()))
                .orElseThrow(() -> new ExtensionConfigurationException(
                        "a `Faultlayer` parameter needs @Faults on the test or its class"));
        if (faults.plan().isEmpty() == faults.value().isEmpty()) {
            throw new ExtensionConfigurationException("@Faults: expected either the name of a plan or `plan`");
        }
        if (!faults.plan().isEmpty()) {
            return Faultlayer.of(faults.plan(), faults.strict());
        }
        return resource(context.getRequiredTestClass(), faults.value())
                .map(plan -> Faultlayer.of(plan, faults.strict()))
                .orElseGet(() -> Faultlayer.of(Path.of(faults.value()), faults.strict()));
    }

    /** Of the class or of one that it is nested in. */
    private static Optional<Faults> annotated(Class<?> test) {
        for (Class<?> type = test; type != null; type = type.getEnclosingClass()) {
            Faults faults = type.getAnnotation(Faults.class);
            if (faults != null) {
                return Optional.of(faults);
            }
        }
        return Optional.empty();
    }

    private static Optional<String> resource(Class<?> test, String name) {
        try (InputStream beside = test.getResourceAsStream(name);
                InputStream root = test.getResourceAsStream("/" + name)) {
            InputStream found = beside != null ? beside : root;
            return found == null
                    ? Optional.empty()
                    : Optional.of(new String(found.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }
}
