"""The text of a plan as the engine's reader takes it: strict JSON, its numbers, its times."""

import json
import math
import re
from datetime import datetime, timedelta, timezone
from typing import Any, TypeGuard

# An object's note of the keys that stand in it twice; no key of JSON is `None`.
TWICE: Any = None
# As the engine reads times: RFC 3339 with any one character between date and time, a leap second at the end of a month.
STAMP = re.compile(r"(\d{4}-\d\d-\d\d)[\0-\x7f]([0-2]\d:[0-5]\d:)([0-5]\d|60)(\.\d+)?(?:([Zz])|([+-](?:[01]\d|2[0-3]):[0-5]\d))", re.ASCII)
# The deepest that the engine's reader goes into objects and arrays.
DEEPEST_JSON = 127


def read_plan(text: str) -> dict[str, Any]:
    """Strict JSON that is an object. Raises ValueError where the engine's reader would refuse the text.

    A key that stands twice in an object keeps its first value, and the object has a note of it under `TWICE`."""

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            if name in found:
                found.setdefault(TWICE, []).append(name)
            else:
                found[name] = value
        return found

    def number(text: str) -> Any:
        if not math.isfinite(float(text)):
            raise ValueError(f"Plan: `{text[:40]}` is no number that binary64 holds")
        return float(text) if set(".eE") & set(text) else int(text)

    depth = 0
    for sign in re.sub(r'"(?:[^"\\]|\\.)*"', "", text):
        depth += (sign in "[{") - (sign in "]}")
        if depth > DEEPEST_JSON:
            raise ValueError(f"Plan: expected objects and arrays at most {DEEPEST_JSON} deep")
    try:
        plan = json.loads(text, object_pairs_hook=members, parse_constant=number, parse_float=number, parse_int=number)
        # Half a surrogate pair can be written, and is no text.
        json.dumps(plan, ensure_ascii=False).encode()
    except (json.JSONDecodeError, UnicodeEncodeError) as error:
        raise ValueError(f"Plan: expected JSON or `parameter:NAME`: {error}") from None
    if not isinstance(plan, dict):
        raise ValueError("Plan: expected a JSON object")
    return plan


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a JSON value is a number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def instant(text: Any) -> datetime | None:
    """An RFC 3339 time; None for anything else."""
    found = STAMP.fullmatch(text) if isinstance(text, str) else None
    if not found:
        return None
    date, clock, second, fraction, _, offset = found.groups()
    try:
        when = datetime.fromisoformat(f"{date}T{clock}{min(second, '59')}{(fraction or '.0')[:7].ljust(7, '0')}{offset or '+00:00'}")
        if second == "60" and (when.astimezone(timezone.utc) + timedelta(seconds=1)).strftime("%d%T") != "0100:00:00":
            return None
        return when
    except (ValueError, OverflowError):
        return None
