"""Plans as a generator writes them: nearly right ones, wrong in a place or two, with patterns and times."""

# ruff: noqa: E501
import json

from hypothesis import strategies as st

# One of each kind and shape, right as it is.
FAULTS = [
    {"id": "slow", "kind": "latency", "rate": 0.25, "delay_ms": {"uniform": {"min": 100, "max": 3000}}},
    {"id": "late", "kind": "latency", "rate": 0.25, "delay_ms": {"percentiles": {"50": 1, "100": 3}}, "when": "during", "after_ms": 1},
    {"id": "long", "kind": "latency", "rate": 1, "delay_ms": {"pareto": {"scale": 1, "shape": 1.5, "max": 10}}},
    {"id": "bell", "kind": "latency", "rate": 1, "delay_ms": {"normal": {"mean": 1, "std_dev": 1, "max": 10}}},
    {"id": "boom", "kind": "error", "rate": 0.05, "type": {"python": "KeyError"}, "message": "m", "properties": {"a": 1}},
    {
        "id": "busy",
        "kind": "response",
        "rate": {"steps": [{"at_s": 0, "rate": 0.01}, {"at_s": 9, "rate": 1}]},
        "status": 503,
        "headers": {},
        "body": "b",
    },
    {"id": "odd", "kind": "response", "rate": 1, "payload": {"any": [None]}},
    {"id": "crash", "kind": "exit", "rate": 0, "code": 1, "when": "after"},
    {"id": "stall", "kind": "timeout", "rate": 1.0},
    {"id": "lies", "kind": "corrupt", "rate": 0.3, "body": None},
    {"id": "full", "kind": "disk", "rate": 1.0, "size_mib": 400, "limit": 3},
    {"id": "hog", "kind": "memory", "rate": 1.0, "size_mib": 200, "match": {"event": {"a": ["b"]}}},
    {"id": "burn", "kind": "cpu", "rate": 1.0, "duration_ms": 200, "threads": 1, "sample_by": "attempt"},
    {
        "id": "throttle",
        "kind": "aws_call",
        "rate": 1,
        "target": {"service": ["s3"]},
        "error": "SlowDown",
        "status": 503,
        "message": "m",
        "calls": {"first": 1},
    },
    {"id": "far", "kind": "aws_call", "rate": 1, "target": {"service": ["s3"]}, "delay_ms": 1},
    {"id": "gone", "kind": "network", "rate": 1, "target": {"host": ["a.example"], "port": [443]}, "effect": "dns", "answer": "timeout"},
    {"id": "lags", "kind": "network", "rate": 1, "target": {"host": [{"suffix": ".b"}]}, "effect": "latency", "delay_ms": 5},
    {"id": "thin", "kind": "network", "rate": 1, "target": {"port": [1]}, "effect": "bandwidth", "kib_per_s": 1.5, "calls": {"share": 0.5}},
    {"id": "cut", "kind": "network", "rate": 1, "target": {"host": ["c"]}, "effect": "reset", "after_bytes": 1},
]
TIMES = [
    "2026-11-23T12:00:00Z", "2026-11-23 13:00:00.123456789z", "2026-11-23T12:00:00+00:00", "2026-12-31T23:59:60Z", "2026-12-31T22:59:60Z",
    "2026-11-23T12:00:00", "2026-02-29T00:00:00Z", "2026-11-23T24:00:00Z", "2026-11-23T12:00:00+23:59", "2026-11-23T12:00:00-24:00",
    "2026-11-23T12:00:00+10:75", "2026-11-23T12:00:00.Z", "2026-11-23T12:00:00Z\n", "never", "9999-12-31T23:59:59-23:59", "\u0662026-11-23T12:00:00Z",
]  # fmt: skip
texts = st.sampled_from(
    ["", "slow", "during", "latency", "KeyError", "100", "50", "a**", "a*b", "\\", "\\*", "10.0.0.0/8", "::1/127", *TIMES]
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 3),
    st.floats(-1, 2),
    texts,
    st.sampled_from([1e300, 2**53, 2**53 - 1, 3.0, 900000, 10**20, 10**400]),
)
NAMES = st.sampled_from(
    "id kind rate delay_ms uniform min max normal mean std_dev pareto scale shape percentiles 100 50 5. .5 1.2.3 type python message status body "
    "payload headers size_mib code when match event context steps at_s limit sample_by extra version experiment faults seed expires_at "
    "starts_at limits injections deadline_margin_ms after_bytes after_ms threads duration_ms dry_run properties "
    "target calls first share error effect kib_per_s answer host port".split()
)
anything = st.recursive(
    scalars, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=4)), max_leaves=8
)
addresses = st.sampled_from(
    "10.0.0.0/8 10.0.0.0/32 10.0.0.0/-0 10.0.0.0/+8 010.000.000.001/31 256.1.1.1/8 1.2.3/8 1.2.3.4.5/8 1.2.3.4/8/ 1.2.3.4/ ::/0 ::1/127 ::1/128 "
    "1:2:3:4:5:6:7:8/64 1:2:3:4:5:6:7/64 1::2::3/64 ::ffff:a00:1/31 ::ffff:a00:1/32 g::/8 00001::/8 12345::/8 ::ffff:1.2.3.4/8 1.2.3.4".split()
)
operators = st.one_of(
    st.dictionaries(
        st.sampled_from("prefix suffix equals-ignore-case wildcard anything-but exists cidr exactly regex".split()),
        st.one_of(scalars, st.lists(scalars, max_size=3), st.dictionaries(
            st.sampled_from("prefix suffix equals-ignore-case wildcard".split()), st.one_of(texts, st.lists(texts, max_size=2)), max_size=2
        )),
        max_size=2,
    ),
    addresses.map(lambda text: {"cidr": text}),
    st.lists(st.one_of(st.sampled_from(["<", "<=", ">", ">=", "="]), scalars), max_size=5).map(lambda terms: {"numeric": terms}),
    st.tuples(st.sampled_from([">", ">="]), scalars, st.sampled_from(["<", "<="]), scalars).map(lambda terms: {"numeric": list(terms)}),
)  # fmt: skip
patterns = st.recursive(
    st.lists(st.one_of(scalars, operators), max_size=3),
    lambda inner: st.one_of(
        st.dictionaries(st.sampled_from(["a", "a.b", "", "prefix", "="]), inner, max_size=3),
        st.lists(st.dictionaries(st.sampled_from(["a", "b", "numeric", "exists"]), inner, max_size=2), max_size=3).map(
            lambda found: {"$or": found}
        ),
    ),
    max_leaves=8,
)
matches = st.dictionaries(st.sampled_from(["event", "context"]), patterns, max_size=2)
faults = st.one_of(
    st.sampled_from(FAULTS).flatmap(lambda good: st.dictionaries(NAMES, anything, max_size=2).map(lambda more: {**good, **more})),
    st.sampled_from(FAULTS).flatmap(lambda good: matches.map(lambda found: {**good, "match": found})),
    st.sampled_from(FAULTS).flatmap(lambda good: patterns.map(lambda found: {**good, "target": found})),
    anything,
)
objects = st.tuples(
    st.dictionaries(NAMES, anything, max_size=1), st.lists(faults, max_size=3), st.sampled_from(TIMES), st.sampled_from(TIMES)
).map(lambda parts: {"version": 1, "faults": parts[1], "starts_at": parts[2], "expires_at": parts[3], **parts[0]})
TEXTS = [
    "", "[]", "nonsense", '{"a":1,"a":2}', '{"version":1,"faults":[],"faults":[{}]}', '{"version":NaN,"faults":[]}', '"x"', "{}", "null", "\ufeff{}",
    '{"version":1,"faults":[],"experiment":"\\ud800"}', '{"version":1,"faults":[],"experiment":"\\ud83d\\ude00"}', '{"version":1,"faults":[],}',
    '{"version":1,"faults":[{"id":"a","kind":"response","rate":1,"payload":{"b":{"c":1,"c":2}}}]}', '{"version":1e0,"faults":[]}',
    *('{"version":1,"faults":[{"id":"a","kind":"response","rate":1,"payload":' + "[" * deep + "]" * deep + "}]}" for deep in (123, 124, 125, 126)),
    '{"version":1,"faults":[{"id":"a","kind":"latency","rate":1,"delay_ms":1e400}]}', '{"version":1,"faults":[]} x', '{"version":1,"faults":[]}\n',
]  # fmt: skip
# Patterns whose branches or fields are too many.
for count in (255, 256, 257):
    TEXTS.append(json.dumps({"version": 1, "faults": [{**FAULTS[-1], "match": {"event": {str(at): [1] for at in range(count)}}}]}))
for count in (9, 10, 11):
    alternatives: dict[str, object] = {"x": [1]}
    for _ in range(count):
        alternatives = {"y": alternatives, "$or": [{"a": [1]}, {"b": [1]}]}
    TEXTS.append(json.dumps({"version": 1, "faults": [{**FAULTS[-1], "match": {"event": alternatives}}]}))
PLANS = st.one_of(objects, anything, st.sampled_from(TEXTS))
