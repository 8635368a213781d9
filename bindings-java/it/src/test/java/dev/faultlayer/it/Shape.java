package dev.faultlayer.it;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** One way to write a handler: its setting, an event that it takes, and one that makes it fail. */
final class Shape {
    private static final String[][] ALL = {
        {"shapes.MapHandler", "{\"order\":\"a-1\",\"n\":1.0}", "{\"order\":\"please fail\"}"},
        {"shapes.PojoHandler", "{\"id\":\"a-1\",\"count\":1,\"price\":2.50}", "{\"id\":\"please fail\"}"},
        {"shapes.StringHandler", "\"hello\"", "\"please fail\""},
        {"shapes.ListHandler", "[1,\"two\",null]", "[\"please fail\"]"},
        {
            "shapes.SqsHandler",
            "{\"Records\":[{\"messageId\":\"m-1\",\"body\":\"x\"}]}",
            "{\"Records\":[{\"messageId\":\"m-1\",\"body\":\"please fail\"}]}"
        },
        {
            "shapes.HttpHandler",
            "{\"rawPath\":\"/cart\",\"body\":\"x\"}",
            "{\"rawPath\":\"/cart\",\"body\":\"please fail\"}"
        },
        {"shapes.StreamHandler", "{\"order\":\"a-1\"}", "\"please fail\""},
        {"shapes.Plain::instance", "{\"order\":\"a-1\"}", "{\"order\":\"please fail\"}"},
        {"shapes.Plain::withContext", "{\"id\":\"a-1\"}", "{\"id\":\"please fail\"}"},
        {"shapes.Plain::fixed", "\"hello\"", "\"please fail\""},
        {"shapes.Plain::fixedWithContext", "41", "-1"},
        {"shapes.Plain::streams", "{ \"a\" : 1 }", "\"please fail\""},
        {"shapes.Plain::nothing", "{\"order\":\"a-1\"}", "{\"order\":\"please fail\"}"},
        {"shapes.Inherited", "{\"order\":\"a-1\"}", "{\"order\":\"please fail\"}"},
        {"shapes.Framework", "{\"body\": \"spring\" }", "\"please fail\""},
        {"shapes.KotlinHandler", "{\"order\":\"a-1\"}", "{\"order\":\"please fail\"}"},
        {"shapes.KotlinHandlerKt::topLevel", "\"hello\"", "\"please fail\""},
    };

    /** Its place among all. */
    final int number;

    final String handler;
    final String event;
    final String failing;

    private Shape(int number) {
        String[] row = ALL[number];
        this.number = number;
        handler = row[0];
        event = row[1];
        failing = row[2];
    }

    static List<Shape> all() {
        return IntStream.range(0, ALL.length).mapToObj(Shape::new).collect(Collectors.toList());
    }

    /** A class, a stream and a plain method. */
    static List<Shape> few() {
        return all().stream()
                .filter(shape -> List.of("shapes.MapHandler", "shapes.StreamHandler", "shapes.Plain::fixed")
                        .contains(shape.handler))
                .collect(Collectors.toList());
    }

    @Override
    public String toString() {
        return handler;
    }
}
