"""Checks an EventBridge pattern as the engine compiles it (`core/src/matching/compile.rs`, `operator.rs`): the same forms
refused, at the same paths. `tests/vectors` and generated plans bind the two.

What looks at a part answers with the place below it that does not hold, and with None where it holds."""

import ipaddress
import re
from decimal import Decimal
from typing import Any

from faultlayer_documents.written import is_number

# Names that event-ruler keeps free inside `$or`.
RESERVED = re.compile(
    "anything-but|numeric|exists|cidr|[<>]=?|=|regex|prefix|suffix|exactly|(not-)?(equals-ignore-case|wildcard)|"
    "date-(on-or-)?(after|before)|in-date-range|ip-address-(not-)?in-range"
)
DEEPEST, MOST_FIELDS, MOST_BRANCHES, MOST_VALUES = 64, 256, 1024, 16384
LARGEST = 1.7976931348623157e308


def text_place(value: Any, at: str, wild: bool = False) -> str | None:
    """A string; a wildcard has no two `*` in a row, and the backslash before `*` or itself."""
    good = isinstance(value, str) and (not wild or re.fullmatch(r"([^*\\]|\\[*\\]|\*(?!\*))*", value, re.S))
    return None if good else at


def number_place(value: Any, at: str) -> str | None:
    """A number that binary64 gives back."""
    vague = isinstance(value, int) and -(2**63) <= value < 2**64 and Decimal(repr(float(value))) != value
    return None if is_number(value) and not vague else at


def address_bits(text: str) -> int:
    """The bits of an address: 32 or 128; 0 for what is none."""
    # Without the zeros that lead a group, which the engine takes.
    short = re.sub(r"(?<![0-9a-fA-F])0+(?=[0-9a-fA-F])", "", text)
    if not re.fullmatch(r"[0-9.]{,15}|[0-9a-fA-F:]+", text):
        return 0
    try:
        return 32 if (address := ipaddress.ip_address(short)).version == 4 or address.ipv4_mapped else 128
    except ValueError:
        return 0


def cidr_place(value: Any) -> str | None:
    """An address, `/` and its fixed bits. Fewer than it has."""
    address, _, bits = value.rstrip("/").partition("/") if isinstance(value, str) else "   "
    return None if re.fullmatch("[+-]?[0-9]+", bits) and 0 <= int(bits) < address_bits(address) else ".cidr"


def numeric_place(value: Any) -> str | None:
    """An operator and a number, or a range. One that is not empty."""
    signs = [sign if isinstance(sign, str) else "" for sign in value[::2]] if isinstance(value, list) else []
    ends = value[1::2] if signs else []
    if not re.fullmatch("=|[<>]=?|>=? <=?", " ".join(signs)) or len(ends) != len(signs):
        return ".numeric"
    for at, end in enumerate(ends):
        if number_place(end, "") is not None:
            return f".numeric[{2 * at + 1}]"
    low, high = ends if len(ends) == 2 else [-LARGEST, *ends] if signs[0][0] == "<" else [*ends, LARGEST]
    return None if low < high or signs[0] == "=" else ".numeric"


def other_place(value: Any, legacy: bool) -> str | None:
    """`anything-but`. A value, values of one type, or a text operator."""
    at = ".anything-but"
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
    else:
        texts = value if isinstance(value, list) and value else [value]
        places = [None if all(isinstance(item, str) for item in texts) else number_place(value, at)]
    return next((place for place in places if place is not None), None)


def element_place(value: Any, legacy: bool) -> str | None:
    """A plain value, or one operator. One element of a field's array."""
    if not isinstance(value, dict):
        return "" if isinstance(value, list) else None
    name = next(iter(value)) if len(value) == 1 else ""
    at, inner = f".{name}", value.get(name)
    if name in ("prefix", "suffix") and isinstance(inner, dict):
        return text_place(inner["equals-ignore-case"], f"{at}.equals-ignore-case") if [*inner] == ["equals-ignore-case"] else at
    if name in ("prefix", "suffix", "equals-ignore-case", "wildcard", "exactly"):
        return text_place(inner, at, name == "wildcard")
    if name == "exists":
        return None if isinstance(inner, bool) else at
    if name == "anything-but":
        return other_place(inner, legacy)
    return numeric_place(inner) if name == "numeric" else cidr_place(inner) if name == "cidr" else ""


def places_of(pattern: dict[str, Any], at: str, legacy: bool) -> list[str]:
    """Where a pattern does not hold. `legacy` takes `$or` for a field of that name."""
    found: list[str] = []
    values = 0

    def walk(branches: list[set[str]], value: dict[str, Any], path: str, at: str, inside: bool, depth: int) -> None:
        """An object. A field is added to every branch, and `$or` multiplies the branches."""
        nonlocal values
        if not value or depth > DEEPEST:
            found.append(at)
            return
        for name, item in value.items():
            here, joined = f"{at}.{name}", f"{path}.{name}" if path else name
            if name == "$or" and not legacy:
                before, branches[:] = branches[:], []
                items = item if isinstance(item, list) else []
                found.extend([here] * (len(items) < 2))
                for index, one in enumerate(items):
                    added = [{*branch} for branch in before] or [set()]
                    if not isinstance(one, dict):
                        found.append(f"{here}[{index}]")
                        continue
                    walk(added, one, path, f"{here}[{index}]", True, depth + 1)
                    branches += added
                    if len(branches) > MOST_BRANCHES:
                        found.append(f"{here}[{index}]")
                        del branches[1:]
                        break
            elif inside and RESERVED.fullmatch(name):
                found.append(here)
            elif isinstance(item, dict):
                walk(branches, item, joined, here, inside, depth + 1)
            elif isinstance(item, list):
                values += len(item)
                if not item or joined.count(".") >= DEEPEST or values > MOST_VALUES:
                    found.append(here)
                places = [(index, element_place(one, legacy)) for index, one in enumerate(item)]
                found.extend(f"{here}[{index}]{place}" for index, place in places if place is not None)
                branches += [set()] * (not branches)
                for branch in branches:
                    branch.add(joined)
            else:
                found.append(here)

    branches: list[set[str]] = []
    walk(branches, pattern, "", at, False, 1)
    return found + [at] * any(len(branch) > MOST_FIELDS for branch in branches)


def pattern_problems(pattern: dict[str, Any], path: str) -> list[str]:
    """All that is wrong with a pattern. It stands at `path` of the plan."""
    places = [places_of(pattern, path, legacy) for legacy in (False, True)]
    # As event-ruler: what is no alternative in form may still be a field named `$or`. Without one both are the same.
    return [f"{place}: expected what an EventBridge pattern may hold there" for place in places[0]] if all(places) else []
