"""Reads what anybody may have written: markers on functions, records in Parameter Store. The one place where such a text
becomes a value; what is not exactly what attach writes is a ValueError, and no message repeats it.
"""

import base64
import json
import re
import zlib
from typing import Any

from faultlayer_documents.marker import RESTORE, Marker, variables

UUID = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
NAME = "[a-zA-Z0-9_-]{1,64}"
MARKER = re.compile(
    # No f-string: Systems Manager takes double braces for a reference.
    "1,(?P<execution>" + UUID + r"),(?P<layer>(?:\d{12}:)?[a-zA-Z0-9_-]{1,140})(?P<kind>,python|,node|,java)?(?P<path>,path)?"
    r"(?P<options>,options)?(?:,t(\d{1,3})-(\d{1,3}))?(?:,m(\d{3,5})-(\d{3,5}))?"
    r"(?:,a=(?P<alias>[a-zA-Z0-9_-]{1,128}):(?P<version>\$LATEST|\d{1,15})(?P<weights>(?::\d{1,15}=\d(?:\.\d{1,20})?(?:e-\d\d)?){0,2}))?",
    re.ASCII,
)
NO_MARKER = f"`{RESTORE}` is not one this version wrote"
# Characters of a text and bytes of what it unfolds to: twenty functions with 4 KB of variables each are far below.
TEXT_LIMIT, UNFOLDED_LIMIT = 32_768, 524_288


def parse_marker(text: str) -> Marker:
    """Reads a marker. Raises ValueError for a text that is none."""
    found = MARKER.fullmatch(text[:2000])
    if not found:
        raise ValueError(NO_MARKER)
    numbers = [int(number or 0) for number in found.group(6, 7, 8, 9)]
    marker = Marker(found["execution"], found["layer"], (found["kind"] or ",")[1:], bool(found["path"]), bool(found["options"]))
    if found.group(6):
        marker.timeout = (numbers[0], numbers[1])
    if found.group(8):
        marker.memory = (numbers[2], numbers[3])
    if found["alias"]:
        marker.alias, marker.version = found["alias"], found["version"]
        marker.weights = {version: float(weight) for version, weight in (w.split("=") for w in found["weights"].split(":")[1:])}
    bounds = ((marker.timeout, 1, 900), (marker.memory, 128, 32768), (tuple(marker.weights.values()), 0, 1))
    if not all(least <= number <= most for those, least, most in bounds for number in those or ()):
        raise ValueError(f"`{RESTORE}` names what no function has")
    return marker


def execution_in(text: str) -> str:
    """The execution a marker names, or nothing."""
    found = re.match(f"1,({UUID}),", text)
    return found[1] if found else ""


def marker_of(config: dict[str, Any]) -> Marker | None:
    """The marker a function carries. Raises ValueError for one that cannot be read."""
    text = variables(config).get(RESTORE)
    return None if text is None else parse_marker(text)


def pack(value: Any) -> str:
    """A value as text that Parameter Store takes. Compressed and in base64, since double braces are refused."""
    return base64.b64encode(zlib.compress(json.dumps(value, separators=(",", ":")).encode(), 9)).decode()


def unpack(text: str) -> Any:
    """The value of a packed text. Raises ValueError; never unfolds more than UNFOLDED_LIMIT."""
    try:
        if len(text) > TEXT_LIMIT:
            raise ValueError
        unfolding = zlib.decompressobj()
        raw = unfolding.decompress(base64.b64decode(text, validate=True), UNFOLDED_LIMIT)
        if not unfolding.eof:
            raise ValueError
        return json.loads(raw)
    except (ValueError, zlib.error, RecursionError):
        raise ValueError("cannot be read") from None


def is_text(value: Any, limit: int) -> bool:
    return isinstance(value, str) and len(value) <= limit


def parse_note(text: str) -> dict[str, Any]:
    """What a change has kept of a plan's source, as it writes it. Raises ValueError."""
    value = unpack(text)
    good = (
        isinstance(value, dict)
        and set(value) == set("ntw")
        and is_text(value["n"], 2048)
        and re.fullmatch(r"/[\w./-]+", value["n"], re.ASCII)
        and is_text(value["t"], 8192)
        and isinstance(value["w"], list)
        and all(is_text(hashed, 8) for hashed in value["w"])
    )
    if not good:
        raise ValueError("cannot be read")
    return dict(value)


def parse_entries(value: Any, execution: str) -> list[dict[str, Any]]:
    """A record's entries, as attach writes them. Raises ValueError."""
    if not isinstance(value, list) or not value:
        raise ValueError("cannot be read")
    for entry in value:
        good = (
            isinstance(entry, dict)
            and set(entry) == set("nmhlvfc")
            and is_text(entry["n"], 64)
            and re.fullmatch(NAME, entry["n"])
            and is_text(entry["m"], 2000)
            and parse_marker(entry["m"]).execution == execution
            and is_text(entry["h"], 128)
            and is_text(entry["f"], 400)
            and is_text(entry["c"], 64)
            and isinstance(entry["l"], list)
            and all(is_text(arn, 300) for arn in entry["l"])
            and isinstance(entry["v"], dict)
            and all(is_text(name, 4096) and is_text(hashed, 8) for name, hashed in entry["v"].items())
        )
        if not good:
            raise ValueError("cannot be read")
    return value
