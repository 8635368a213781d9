"""Random patterns and events that nearly collide: few names, few values, and patterns made from the events they meet."""

import ipaddress
import json
import random
from typing import Any

# fmt: off
NAMES = ["a", "b", "c", "a", "b", "a.b", "b.c", "a.b.c", "A", "x-y", "é", "a b", "b-", "ab"]
TEXTS = [
    "", "a", "b", "ab", "abc", "aab", "abab", "A", "aB", "ABC", "a*b", "*", "\\", "a\\b", '"', 'a"', '"a', "a.b", "5", "5.0", "true",
    "null", "N", "é", "É", "ß", "SS", "ss", "ẞ", "ı", "I", "i", "İ", "ǅ", "ǆ", "K", "k", "ΰ", "Σ", "ς", "🦀", "?", "??", "日本", "日", "\n", "a\tb", "\u2028",
]
ADDRESSES = [
    "10.0.0.0", "10.0.0.1", "10.0.0.9", "10.0.0.15", "10.0.0.255", "10.1.0.0", "10.255.255.255", "11.0.0.0", "010.0.0.1", "0.0.0.0",
    "255.255.255.255", "192.168.1.10", "::", "::1", "0:0:0:0:0:0:0:1", "a00::", "a00:1::", "a00::9", "0A00::F", "2001:db8::1", "2001:DB8:0:0::1",
    "::ffff:a00:1", "fe80::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "1::2::3", "1:2", "10.0.0", "10.0.0.0.1", "::10000", ":::", "1:", ":1",
    "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "::1:2:3:4:5:6:7:8", "00001::", "12345::",
]
NUMBERS = [
    "0", "-0", "0.0", "1", "1.0", "-1", "5", "5.0", "5.00", "5e0", "0.5e1", "50E-1", "4", "6", "0.1", "-1.5", "301.8", "3.018e2", "1e3", "1000", "100",
    "1e308", "-1e308", "1.7976931348623157e308", "-1.7976931348623157e308", "4.9e-324", "2.5e-7", "123456789012", "9007199254740991", "9007199254740992", "0.30000000000000004",
    "34", "1e15", "10", "18", "12345678",
]
WILDCARDS = ["*", "a*", "*a", "*b*", "a*b", "a*b*c", "*a*b", "", "ab", "\\*", "a\\*b", "\\\\", "*\\\\*", "*é*", "*日*", "*\"*", "a*a", "*ab*ab", "a*b*", "*🦀*", "?*"]
BAD_WILDCARDS = ["**", "a**b", "\\", "a\\b", "*\\"]
RESERVED = ["prefix", "numeric", "=", "regex", "cidr", "exactly", "in-date-range"]
# fmt: on


class Number(str):
    """A number as its text."""


def write(value):
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(json.dumps(name, ensure_ascii=False) + ":" + write(item) for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(write, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def chance(self, share):
        return self.random.random() < share

    def pair(self):
        """A line for both sides."""
        event = self.event()
        while True:
            pattern = self.pattern(event)
            if self.chance(0.12):
                pattern = self.spoil(pattern)
            if not known_difference(pattern, event):
                return '{"pattern":' + write(pattern) + ',"event":' + write(event) + "}"

    # Events

    def leaf(self):
        draw = self.random.random()
        if draw < 0.5:
            return self.random.choice(TEXTS)
        if draw < 0.62:
            return self.random.choice(ADDRESSES)
        if draw < 0.85:
            return Number(self.random.choice(NUMBERS))
        return self.random.choice([True, False, None])

    def event(self):
        if self.chance(0.02):
            return self.random.choice([[], [{"a": 1}], "a", None, Number("5"), True])
        return self.object(0)

    def object(self, depth):
        names = [self.random.choice(NAMES) for _ in range(self.random.choice([0, 1, 1, 2, 2, 3, 4]) if depth else self.random.randint(0, 5))]
        return {name: self.value(depth + 1) for name in names}

    def value(self, depth):
        draw = self.random.random()
        if depth < 5 and draw < 0.25:
            return self.object(depth)
        if depth < 5 and draw < 0.5:
            return [self.value(depth + 1) for _ in range(self.random.choice([0, 1, 2, 2, 3]))]
        return self.leaf()

    # Patterns

    def pattern(self, event):
        leaves = list(flatten(event)) if isinstance(event, dict) else []
        fields = self.random.choice([1, 1, 1, 2, 2, 3, 4])
        pattern: dict[str, Any] = {}
        for _ in range(fields):
            self.field(pattern, leaves)
        for _ in range(self.random.choice([0, 0, 0, 0, 1, 1, 2])):
            self.alternatives(pattern, leaves, 0)
        return self.shuffled(pattern)

    def alternatives(self, pattern, leaves, depth):
        at = pattern
        if self.chance(0.3):
            at = pattern.setdefault(self.random.choice(NAMES), {})
            if not isinstance(at, dict):
                at = pattern
        branches = []
        for _ in range(self.random.choice([2, 2, 2, 3])):
            branch: dict[str, Any] = {}
            for _ in range(self.random.choice([1, 1, 2])):
                self.field(branch, leaves)
            if depth < 2 and self.chance(0.15):
                self.alternatives(branch, leaves, depth + 1)
            branches.append(self.shuffled(branch))
        at["$or"] = branches

    def field(self, pattern, leaves):
        """Adds one field, mostly one that the event has, its names nested or joined by dots."""
        if leaves and self.chance(0.8):
            path, value = self.random.choice(leaves)
        else:
            path, value = ".".join(self.random.choice(NAMES) for _ in range(self.random.randint(1, 3))), self.leaf()
        names = path.split(".")
        at = pattern
        while len(names) > 1:
            joined = self.random.choice([1, 1, 1, 2, 3])
            name, names = ".".join(names[:joined]), names[joined:]
            if not names:
                names = [name]
                break
            nested = at.setdefault(name, {})
            if not isinstance(nested, dict):
                return self.field_here(at, names, value)
            at = nested
        return self.field_here(at, names, value)

    def field_here(self, at, names, value):
        tests = [self.test(value) for _ in range(self.random.choice([1, 1, 1, 2, 3]))]
        at[".".join(names)] = tests

    def shuffled(self, pattern):
        items = list(pattern.items())
        if self.chance(0.5):
            self.random.shuffle(items)
        return dict(items)

    def near(self, value):
        return self.leaf() if self.chance(0.35) else value

    def text(self, value):
        if isinstance(value, str) and not isinstance(value, Number) and self.chance(0.7):
            draw = self.random.random()
            if draw < 0.4:
                return value
            cut = self.random.randint(0, len(value))
            if draw < 0.6:
                return value[:cut]
            if draw < 0.8:
                return value[cut:]
            return value.swapcase()
        return self.random.choice(TEXTS + ADDRESSES)

    def number(self, value):
        if isinstance(value, Number) and self.chance(0.6):
            return value
        return Number(self.random.choice(NUMBERS))

    def wildcard(self, value):
        if not isinstance(value, str) or isinstance(value, Number) or self.chance(0.4):
            return self.random.choice(WILDCARDS)
        pieces: list[str] = []
        for character in value:
            draw = self.random.random()
            if draw < 0.25:
                if not pieces or pieces[-1] != "*":
                    pieces.append("*")
            elif draw < 0.9:
                pieces.append("\\" + character if character in "*\\" else character)
        return "".join(pieces)

    def cidr(self, value):
        text = value if isinstance(value, str) and self.chance(0.7) else self.random.choice(ADDRESSES)
        try:
            bits: int = ipaddress.ip_address(text).max_prefixlen
        except ValueError:
            text, bits = self.random.choice([("10.0.0.0", 32), ("2001:db8::", 128), ("a00::", 128)])
        return f"{text}/{self.random.choice([self.random.randint(0, bits - 1), 8, 9, 16, 24, 31])}"

    def test(self, value):
        value = self.near(value)
        kind = self.random.choice(
            ["exact", "exact", "exact", "exactly", "prefix", "suffix", "prefix-fold", "suffix-fold", "fold", "wildcard", "numeric", "exists", "absent", "cidr"]
            + ["but", "but", "but-prefix", "but-suffix", "but-fold", "but-wildcard"]
        )
        text = self.text(value)
        match kind:
            case "exact":
                return value
            case "exactly":
                return {"exactly": text}
            case "prefix" | "suffix":
                return {kind: text}
            case "prefix-fold" | "suffix-fold":
                return {kind.split("-")[0]: {"equals-ignore-case": text}}
            case "fold":
                return {"equals-ignore-case": text}
            case "wildcard":
                return {"wildcard": self.wildcard(value)}
            case "numeric":
                return {"numeric": self.numeric(value)}
            case "exists" | "absent":
                return {"exists": kind == "exists"}
            case "cidr":
                return {"cidr": self.cidr(value)}
            case "but":
                make = self.number if isinstance(value, Number) or self.chance(0.2) else self.text
            case "but-wildcard":
                make = self.wildcard
            case _:
                make = self.text
        values = make(value) if self.chance(0.5) else [make(value) for _ in range(self.random.randint(1, 3))]
        names = {"but-prefix": "prefix", "but-suffix": "suffix", "but-fold": "equals-ignore-case", "but-wildcard": "wildcard"}
        return {"anything-but": {names[kind]: values} if kind in names else values}

    def numeric(self, value):
        number = self.number(value)
        # A range beyond the greatest number makes the library fail, unless a later field of that path hides it.
        if "1.797" in number:
            return ["=", number]
        if self.chance(0.5):
            return [self.random.choice(["=", "<", "<=", ">", ">="]), number]
        ends = [number, self.number(value)]
        if self.chance(0.8):
            ends.sort(key=float)
        return [self.random.choice([">", ">="]), ends[0], self.random.choice(["<", "<="]), ends[1]]

    # What no one should write

    def spoil(self, pattern):
        """Puts something somewhere that may not stand there."""
        # fmt: off
        junk: Any = self.random.choice([
            {}, [], None, True, "a", Number("5"), [[]], [["a"]], {"a": "b"}, [{}], [{"a": "b"}], [{"prefix": 5}], [{"prefix": "a", "suffix": "b"}],
            [{"prefix": {}}], [{"prefix": {"wildcard": "a"}}], [{"suffix": {"equals-ignore-case": 5}}], [{"suffix": []}], [{"exactly": 5}], [{"exactly": ["a"]}],
            [{"exists": "true"}], [{"exists": None}], [{"exists": [True]}], [{"wildcard": ["a"]}], [{"wildcard": self.random.choice(BAD_WILDCARDS)}],
            [{"equals-ignore-case": ["a"]}], [{"equals-ignore-case": None}], [{"cidr": ["10.0.0.0/8"]}],
            [{"cidr": self.random.choice(["10.0.0.0", "10.0.0.0/32", "10.0.0.0/-1", "10.0.0.0/8/", "10.0.0.0/8/9", "/8", "10.0.0.0/", "::/128", "::/127", "::/+8", "10.0.0/8", "::ffff:a00:0/100", "10.0.0.0/x", "", "/", "10.0.0.0//8"])}],
            [{"anything-but": []}], [{"anything-but": ["a", Number("5")]}], [{"anything-but": [None]}], [{"anything-but": None}], [{"anything-but": True}],
            [{"anything-but": {}}], [{"anything-but": {"exists": True}}], [{"anything-but": {"numeric": ["=", Number("5")]}}], [{"anything-but": {"cidr": "10.0.0.0/8"}}],
            [{"anything-but": {"prefix": ""}}], [{"anything-but": {"suffix": ["a", ""]}}], 
            [{"anything-but": {"prefix": Number("5")}}], [{"anything-but": {"prefix": ["a", Number("5")]}}],
            [{"anything-but": {"wildcard": "**"}}], [{"anything-but": {"wildcard": ["a", "\\"]}}], [{"anything-but": {"prefix": "a", "suffix": "b"}}],
            [{"anything-but": {"prefix": {"equals-ignore-case": "a"}}}], [{"anything-but": [["a"]]}], [{"anything-but": {"equals-ignore-case": None}}],
            [{"numeric": []}], [{"numeric": ["="]}], [{"numeric": ["!=", Number("5")]}], [{"numeric": ["=", "5"]}], [{"numeric": ["<", Number("5"), ">", Number("3")]}],
            [{"numeric": [">", Number("5"), "<", Number("5")]}], [{"numeric": [">", Number("0"), "<"]}], [{"numeric": [">", Number("0"), ">", Number("5")]}],
            [{"numeric": [">", Number("0"), "<", Number("5"), "<", Number("6")]}], [{"numeric": ["=", Number("5"), "<", Number("7")]}], [{"numeric": Number("5")}],
            [{"numeric": ["=", Number("12345678901234567")]}], [{"numeric": [Number("5"), "="]}], [{"regex": "a"}], [{"numeric": ["=", Number("9223372036854775807")]}],
        ])
        if self.chance(0.2):
            junk = {"$or": self.random.choice([
                [], {}, "a", [{"a": ["a"]}], ["a"], ["a", {"prefix": "b"}], {"a": ["a"]}, [{"prefix": "a"}], [{"a": ["a"]}, "b"], [{"a": ["a"]}, {}],
                [{"a": ["a"]}, {self.random.choice(RESERVED): ["b"]}], [{"a": ["a"]}, {"b": {self.random.choice(RESERVED): ["b"]}}], {"$or": ["a"]}, [{"exists": False}],
            ])}
            if self.chance(0.5):
                pattern.update(junk)
                return self.shuffled(pattern)
        # fmt: on
        if self.chance(0.05):
            return junk
        at = pattern
        while True:
            names = list(at)
            name = self.random.choice(names)
            if isinstance(at[name], dict) and at[name] and self.chance(0.6):
                at = at[name]
                continue
            if isinstance(at[name], list) and isinstance(junk, list) and name != "$or" and self.chance(0.5):
                at[name] = at[name] + junk
            elif self.chance(0.5):
                at[name] = junk
            else:
                at[self.random.choice(NAMES)] = junk
            return pattern


def flatten(value, path=""):
    """The leaves of an event as the library sees them: path, value."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from flatten(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for item in value:
            yield from flatten(item, path)
    else:
        yield path, value


def known_difference(pattern, event):
    """Where Faultlayer differs on purpose: a number on a path for which the pattern has addresses, which the library reads
    as hexadecimal digits, or suffixes, which it looks for in its own encoding of the number."""
    numbers = {path for path, value in flatten(event) if isinstance(value, Number)}
    return any(path in numbers and any(map(is_about_text, tests)) for path, tests in fields(pattern))


def is_about_text(test):
    if isinstance(test, str) and not isinstance(test, Number):
        return "." in test or ":" in test
    return isinstance(test, dict) and ("cidr" in test or "suffix" in json.dumps(test))


def fields(pattern, path=""):
    if isinstance(pattern, dict):
        for name, value in pattern.items():
            if name == "$or" and isinstance(value, list):
                for branch in value:
                    yield from fields(branch, path)
            yield from fields(value, f"{path}.{name}" if path else name)
    elif isinstance(pattern, list):
        yield path, pattern
