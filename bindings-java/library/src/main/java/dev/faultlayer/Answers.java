package dev.faultlayer;

import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.serialization.PojoSerializer;
import com.amazonaws.services.lambda.runtime.serialization.events.LambdaEventSerializers;
import com.amazonaws.services.lambda.runtime.serialization.factories.JacksonFactory;
import java.io.ByteArrayOutputStream;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.util.HashMap;
import java.util.Map;

/** Events and answers as JSON and back, by the runtime client's own serialisers. */
final class Answers {
    private Answers() {}

    /** The JSON of an event or of an answer. */
    @SuppressWarnings("unchecked")
    static byte[] toJson(Object value) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Class<?> type = value == null ? Object.class : value.getClass();
        ((PojoSerializer<Object>) serializer(type)).toJson(value, out);
        return out.toByteArray();
    }

    /** What a handler of this answer type would have returned for the JSON to come out. */
    static Object fromJson(String json, Type type) {
        try {
            if (type == String.class) {
                // A handler that returns strings answers with JSON strings; other JSON is handed out as it stands.
                return json.startsWith("\"") ? serializer(String.class).fromJson(json) : json;
            }
            return serializer(type).fromJson(json);
        } catch (RuntimeException refused) {
            throw new FaultlayerException(
                    "answer_type",
                    "",
                    "the handler's answer type `" + type.getTypeName() + "` cannot hold the plan's answer `" + json
                            + "`",
                    refused);
        }
    }

    private static PojoSerializer<?> serializer(Type type) {
        if (type instanceof Class && LambdaEventSerializers.isLambdaSupportedEvent(type.getTypeName())) {
            return LambdaEventSerializers.serializerFor(
                    (Class<?>) type, Thread.currentThread().getContextClassLoader());
        }
        return JacksonFactory.getInstance().getSerializer(type);
    }

    /** The answer type of a handler: its type argument; {@code Object} for a lambda, which does not say. */
    static Type answerType(RequestHandler<?, ?> handler) {
        Type found = argument(handler.getClass(), new HashMap<>());
        if (found != null) {
            return found;
        }
        for (Method method : handler.getClass().getMethods()) {
            if (method.getName().equals("handleRequest") && method.getParameterCount() == 2 && !method.isBridge()) {
                return method.getGenericReturnType() instanceof TypeVariable
                        ? Object.class
                        : method.getGenericReturnType();
            }
        }
        return Object.class;
    }

    /** Follows {@code RequestHandler}'s second argument up the class's parents. */
    private static Type argument(Type type, Map<TypeVariable<?>, Type> bound) {
        Class<?> raw;
        if (type instanceof ParameterizedType) {
            raw = (Class<?>) ((ParameterizedType) type).getRawType();
            Type[] arguments = ((ParameterizedType) type).getActualTypeArguments();
            for (int i = 0; i < arguments.length; i++) {
                Type argument = arguments[i];
                bound.put(
                        raw.getTypeParameters()[i], argument instanceof TypeVariable ? bound.get(argument) : argument);
            }
        } else if (type instanceof Class) {
            raw = (Class<?>) type;
        } else {
            return null;
        }
        if (raw == RequestHandler.class) {
            return bound.get(raw.getTypeParameters()[1]);
        }
        for (Type face : raw.getGenericInterfaces()) {
            Type found = argument(face, bound);
            if (found != null) {
                return found;
            }
        }
        return raw.getGenericSuperclass() == null ? null : argument(raw.getGenericSuperclass(), bound);
    }
}
