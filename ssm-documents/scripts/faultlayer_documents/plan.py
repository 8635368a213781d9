"""The plan as attach sees it: where it comes from, whether it is right, its times, its one line.

Numbers and payloads stay as they were written: the text is cut, never printed anew from values.
"""

import json
import re
from datetime import datetime, timedelta, timezone

from faultlayer_documents.written import instant, read_plan


def minify_plan(text: str) -> str:
    """JSON text without space between its parts."""
    return re.sub(r'("(?:[^"\\]|\\.)*")|\s+', lambda match: match.group(1) or "", text)


def members_of(text: str) -> list[tuple[str, str]]:
    """Members of a minified object."""
    found, at, decoder = [], 1, json.JSONDecoder()
    while text[at] != "}":
        name, colon = decoder.raw_decode(text, at)
        _, end = decoder.raw_decode(text, colon + 1)
        found.append((name, text[colon + 1 : end]))
        at = end + (text[end] == ",")
    return found


def stamp(when: datetime) -> str:
    return when.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def timed_plan(text: str, now: datetime, attach_s: float, minutes: int, dry_run: bool) -> str:
    """The plan as functions get it. One line, with a start and an end.

    The hold begins once all functions are attached, `attach_s` from now at the latest, and lasts `minutes`. An end that
    is not there is set to the end of the hold; one that comes before it is refused with ValueError.
    """
    plan, members = read_plan(text), dict(members_of(minify_plan(text)))
    # Whole minutes: the estimate is rounded up, so that a little delay does not end the faults before the hold.
    end = now + timedelta(minutes=minutes + int(attach_s // 60) + 1)
    start, expiry = instant(plan.get("starts_at")), instant(plan.get("expires_at"))
    if expiry and expiry < now + timedelta(seconds=attach_s, minutes=minutes):
        raise ValueError(f"expires_at: `{plan['expires_at']}` comes before the end of the hold, about {stamp(end)}")
    if start and start >= end and "expires_at" not in plan:
        raise ValueError(f"starts_at: `{plan['starts_at']}` comes after the end of the hold, about {stamp(end)}")
    return written_plan(members, now, stamp(end), dry_run)


def written_plan(members: dict[str, str], start: datetime, end: str, dry_run: bool) -> str:
    """Members as one line, with a start, an end, and `dry_run` where that is asked for."""
    members.setdefault("starts_at", f'"{stamp(start)}"')
    members.setdefault("expires_at", f'"{end}"')
    if dry_run:
        members["dry_run"] = "true"
    return "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in members.items()) + "}"


def later_plan(text: str, now: datetime, until: str, dry_run: bool) -> str:
    """The plan as functions get it that have one until `until`, an RFC 3339 time or `never`.

    An end that is not there is set to that; one that has passed or comes after it is refused with ValueError, and so is a plan
    without an end where there is none to take over."""
    plan, members = read_plan(text), dict(members_of(minify_plan(text)))
    ends, start, expiry = instant(until), instant(plan.get("starts_at")), instant(plan.get("expires_at"))
    if ends and ends <= now:
        raise ValueError(f"expires_at: what is attached has come to its end, `{until}`")
    if "expires_at" not in plan and not ends:
        raise ValueError("expires_at: expected an end, what is attached has none that could be taken over")
    if ends and "expires_at" in plan and not (expiry and expiry <= ends):
        raise ValueError(f"expires_at: `{plan['expires_at']}` comes after the end of what is attached, `{until}`")
    if expiry and expiry <= now:
        raise ValueError(f"expires_at: `{plan['expires_at']}` has passed")
    last = expiry or ends
    if start and last and start >= last:
        raise ValueError(f"starts_at: `{plan['starts_at']}` comes after the end, `{stamp(last)}`")
    return written_plan(members, now, until, dry_run)
