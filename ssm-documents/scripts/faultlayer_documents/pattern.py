"""Checks an EventBridge pattern as the engine compiles it (`core/src/matching/compile.rs`, `operator.rs`): the same forms
refused, at the same paths. `tests/vectors` and generated plans bind the two. What is checked answers with where it does not
hold, below the place it is given, and with None where it does."""

import re
from decimal import Decimal
from typing import Any

from faultlayer_documents.written import is_number

TEXT_FORMS = "prefix suffix equals-ignore-case wildcard exactly".split()
# Names that event-ruler keeps free inside `$or`.
RESERVED = (
    "anything-but numeric exists cidr = < <= > >= regex not-wildcard not-equals-ignore-case date-after date-on-or-after date-before "
    "date-on-or-before in-date-range ip-address-in-range ip-address-not-in-range"
).split() + TEXT_FORMS
DEEPEST, MOST_FIELDS, MOST_BRANCHES, MOST_VALUES = 64, 256, 1024, 16384
LARGEST = 1.7976931348623157e308


def text_place(value: Any, at: str, wild: bool = False) -> str | None:
    """A string, and of a wildcard one without two `*` in a row and with the backslash only before `*` or itself."""
    good = isinstance(value, str) and (not wild or re.fullmatch(r"([^*\\]|\\[*\\]|\*(?!\*))*", value, re.S))
    return None if good else at


def number_place(value: Any, at: str) -> str | None:
    """A number that binary64 gives back digit by digit, as one that is compared has to be."""
    if isinstance(value, int) and -(2**63) <= value < 2**64 and Decimal(repr(float(value))) != value:
        return at
    return None if is_number(value) else at


def address_bits(text: str) -> int:
    """How many bits an address has: 32 or 128; 0 for what is no address."""
    if ":" not in text:
        parts = text.split(".")
        return 32 * (len(parts) == 4 and len(text) < 16 and all(re.fullmatch("[0-9]+", part) and int(part) < 256 for part in parts))
    before, double, after = text.partition("::")
    sides = [side.split(":") if side else [] for side in (before, after)]
    size = len(sides[0] + sides[1])
    if not (size < 8 if double else size == 8) or not all(
        re.fullmatch("0*[0-9a-fA-F]{0,4}", group) and group for group in sides[0] + sides[1]
    ):
        return 0
    groups = [int(group, 16) for group in [*sides[0], *["0"] * (8 - size), *sides[1]]]
    return 32 if groups[:6] == [0] * 5 + [65535] else 128


def cidr_place(value: Any) -> str | None:
    """An address, `/` and the number of fixed bits, fewer than it has."""
    address, _, bits = value.rstrip("/").partition("/") if isinstance(value, str) else "   "
    return None if re.fullmatch("[+-]?[0-9]+", bits) and 0 <= int(bits) < address_bits(address) else ".cidr"


def numeric_place(value: Any) -> str | None:
    """An operator and a number, or the two ends of a range that is not empty."""
    signs = [sign if isinstance(sign, str) else "" for sign in value[::2]] if isinstance(value, list) else []
    ends = value[1::2] if signs else []
    one, two = len(signs) == 1 and re.fullmatch("=|[<>]=?", signs[0]), len(signs) == 2 and re.fullmatch(">=? <=?", " ".join(signs))
    if not (one or two) or len(ends) != len(signs):
        return ".numeric"
    for at, end in enumerate(ends):
        if number_place(end, "") is not None:
            return f".numeric[{2 * at + 1}]"
    low, high = ends if two else [-LARGEST, *ends] if signs[0][0] == "<" else [*ends, LARGEST]
    return None if low < high or signs[0] == "=" else ".numeric"


def other_place(value: Any, legacy: bool) -> str | None:
    """`anything-but`: a value, values of one type, or one of the text operators with one text or several."""
    at, places = ".anything-but", []
    if isinstance(value, dict):
        name = next(iter(value)) if len(value) == 1 else ""
        if name not in ("equals-ignore-case", "prefix", "suffix", *["wildcard"] * (not legacy)):
            return at
        ends, inner, below = name in ("prefix", "suffix"), value[name], f"{at}.{name}"
        lists = isinstance(inner, list) and inner and not (legacy and ends)
        items = [(f"{below}[{index}]", item) for index, item in enumerate(inner)] if lists else [(below, inner)]
        places = [text_place(item, place) for place, item in items]
        places += [place if ends and not item else text_place(item, place, name == "wildcard") for place, item in items]
    elif isinstance(value, list) and value and all(map(is_number, value)):
        places = [number_place(item, f"{at}[{index}]") for index, item in enumerate(value)]
    elif not isinstance(value, str) and not (isinstance(value, list) and value and all(isinstance(item, str) for item in value)):
        places = [number_place(value, at)]
    return next((place for place in places if place is not None), None)


def element_place(value: Any, legacy: bool) -> str | None:
    """One element of a field's array: a plain value, or one operator."""
    if not isinstance(value, dict):
        return "" if isinstance(value, list) else None
    name = next(iter(value)) if len(value) == 1 else ""
    at, inner = f".{name}", value.get(name)
    if name in ("prefix", "suffix") and isinstance(inner, dict):
        return text_place(inner["equals-ignore-case"], f"{at}.equals-ignore-case") if [*inner] == ["equals-ignore-case"] else at
    if name in TEXT_FORMS:
        return text_place(inner, at, name == "wildcard")
    if name == "anything-but":
        return other_place(inner, legacy)
    if name == "exists":
        return None if isinstance(inner, bool) else at
    return numeric_place(inner) if name == "numeric" else cidr_place(inner) if name == "cidr" else ""


class Compiler:
    """Walks a pattern. `legacy` takes `$or` for a field of that name, as event-ruler does where it is no alternative in form."""

    def __init__(self, legacy: bool) -> None:
        self.legacy, self.values, self.found = legacy, 0, list[str]()

    def refuse(self, at: str, expected: str) -> None:
        self.found.append(f"{at}: expected {expected}")

    def walk(self, branches: list[set[str]], value: dict[str, Any], path: str, at: str, inside: bool, depth: int) -> None:
        """An object: every field is added to every branch, and each `$or` multiplies the branches."""
        if not value or depth > DEEPEST:
            return self.refuse(at, f"at least one field, and objects nested at most {DEEPEST} deep")
        for name, item in value.items():
            here, joined = f"{at}.{name}", f"{path}.{name}" if path else name
            if name == "$or" and not self.legacy:
                self.alternatives(branches, item, path, here, depth)
            elif inside and name in RESERVED:
                self.refuse(here, "another name: inside `$or` operators stand only in arrays")
            elif isinstance(item, dict):
                self.walk(branches, item, joined, here, inside, depth + 1)
            elif isinstance(item, list):
                self.field(branches, item, joined, here)
            else:
                self.refuse(here, "an object or an array")

    def alternatives(self, branches: list[set[str]], value: Any, path: str, at: str, depth: int) -> None:
        """`$or`: each alternative starts from all branches so far."""
        before = branches[:]
        branches.clear()
        items = value if isinstance(value, list) else []
        if len(items) < 2:
            self.refuse(at, "an array of at least two objects")
        for index, item in enumerate(items):
            here = f"{at}[{index}]"
            if not isinstance(item, dict):
                self.refuse(here, "an object")
                continue
            added = [set(branch) for branch in before] or [set()]
            self.walk(added, item, path, here, True, depth + 1)
            branches += added
            if len(branches) > MOST_BRANCHES:
                del branches[1:]
                return self.refuse(here, f"at most {MOST_BRANCHES} branches")

    def field(self, branches: list[set[str]], items: list[Any], path: str, at: str) -> None:
        """A field: the values and operators of which one must match."""
        self.values += len(items)
        if not items or path.count(".") >= DEEPEST or self.values > MOST_VALUES:
            self.refuse(at, f"1 to {MOST_VALUES} values, under a path of at most {DEEPEST} names")
        for index, item in enumerate(items):
            below = element_place(item, self.legacy)
            if below is not None:
                self.refuse(f"{at}[{index}]{below}", "what an EventBridge pattern may hold there")
        branches += [set()] * (not branches)
        for branch in branches:
            branch.add(path)


def pattern_problems(value: dict[str, Any], path: str) -> list[str]:
    """All that is wrong with a pattern that stands at a path of the plan."""
    results = []
    for legacy in (False, True):
        compiler, branches = Compiler(legacy), list[set[str]]()
        compiler.walk(branches, value, "", path, False, 1)
        if any(len(branch) > MOST_FIELDS for branch in branches):
            compiler.refuse(path, f"at most {MOST_FIELDS} fields that hold together")
        results.append(compiler.found)
    # Without `$or` both are the same.
    return results[0] if all(results) else []
