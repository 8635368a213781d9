"""The plan as attach sees it: where it comes from, whether it is right, its times, its one line.

Numbers and payloads stay as they were written: the text is cut, never printed anew from values.
"""

import json
import re
from datetime import datetime, timedelta, timezone
from typing import Any

STAMP = re.compile(r"^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$")


def parse_plan(text: str) -> dict[str, Any]:
    """Strict JSON: an object, no member twice, no NaN. Raises ValueError."""

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        if len(set(names)) < len(names):
            raise ValueError("Plan: field twice: " + ", ".join(sorted({f"`{n}`" for n in names if names.count(n) > 1})))
        return dict(pairs)

    def constant(name: str) -> Any:
        raise ValueError(f"Plan: `{name}` is no JSON number")

    try:
        plan = json.loads(text, object_pairs_hook=members, parse_constant=constant)
    except json.JSONDecodeError as error:
        raise ValueError(f"Plan: expected JSON or `parameter:NAME`: {error}") from None
    if not isinstance(plan, dict):
        raise ValueError("Plan: expected a JSON object")
    return plan


def minify_plan(text: str) -> str:
    """The same text without the space between its parts."""
    return re.sub(r'("(?:[^"\\]|\\.)*")|\s+', lambda match: match.group(1) or "", text)


def members_of(text: str) -> list[tuple[str, str]]:
    """The members of a minified object: name and the value's own text."""
    found, at, decoder = [], 1, json.JSONDecoder()
    while text[at] != "}":
        name, colon = decoder.raw_decode(text, at)
        _, end = decoder.raw_decode(text, colon + 1)
        found.append((name, text[colon + 1 : end]))
        at = end + (text[end] == ",")
    return found


def stamp(when: datetime) -> str:
    return when.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_stamp(path: str, text: Any) -> datetime:
    """An RFC 3339 time. Raises ValueError with the path."""
    if isinstance(text, str) and STAMP.match(text):
        try:
            # `fromisoformat` of 3.10 knows neither `Z` nor fractions of any length, and none of this needs them.
            return datetime.fromisoformat(re.sub(r"\.\d+", "", text.upper()).replace("Z", "+00:00"))
        except ValueError:
            pass
    raise ValueError(f"{path}: expected a time like `2026-11-23T12:00:00Z`, got `{text}`")


def timed_plan(text: str, now: datetime, attach_s: float, minutes: int, dry_run: bool) -> str:
    """The plan as it goes into the function: one line, with a start and an end.

    The hold begins once all functions are attached, `attach_s` from now at the latest, and lasts `minutes`. An end that
    is not there is set to the end of the hold; one that comes before it is refused with ValueError.
    """
    plan, members = parse_plan(text), dict(members_of(minify_plan(text)))
    # Whole minutes: the estimate is rounded up, so that a little delay does not end the faults before the hold.
    end = now + timedelta(minutes=minutes + int(attach_s // 60) + 1)
    if "starts_at" not in plan:
        members["starts_at"] = json.dumps(stamp(now))
    start = parse_stamp("starts_at", json.loads(members["starts_at"]))
    if "expires_at" not in plan:
        members["expires_at"] = json.dumps(stamp(end))
    elif plan["expires_at"] != "never":
        expiry = parse_stamp("expires_at", plan["expires_at"])
        if expiry < now + timedelta(seconds=attach_s, minutes=minutes):
            raise ValueError(f"expires_at: `{plan['expires_at']}` comes before the end of the hold, about {stamp(end)}")
        if expiry <= start:
            raise ValueError(f"expires_at: `{plan['expires_at']}` does not come after starts_at, `{plan['starts_at']}`")
    if start >= end and "expires_at" not in plan:
        raise ValueError(f"starts_at: `{plan['starts_at']}` comes after the end of the hold, about {stamp(end)}")
    if dry_run:
        members["dry_run"] = "true"
    return "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in members.items()) + "}"
