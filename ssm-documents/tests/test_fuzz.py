"""Thousands of texts that almost are markers and records, at the one place that reads them: each is a value as attach would
have written it, or none; and whatever stands beside them, other functions are restored."""

import contextlib
import os
import random
import uuid

from faultlayer_documents.marker import Marker
from faultlayer_documents.parse import pack, parse_entries, parse_marker, unpack
from faultlayer_documents.store import entry_of
from labworld import LabWorld

EXECUTION = str(uuid.UUID(int=7))
COUNT = int(os.environ.get("FUZZ", "4000"))
BITS = [
    "",
    ",",
    ":",
    "=",
    "-",
    "{",
    "}",
    "[",
    '"',
    "0",
    "9" * 30,
    "e",
    "é",
    "\n",
    "\0",
    "/",
    "$LATEST",
    "python",
    "a=live:1",
    "null",
    "1e999",
]
MARKERS = [
    Marker(EXECUTION, "faultlayer-python", "python", True, False, (3, 60), (128, 512), "live", "7", {"8": 0.1}).text(),
    Marker(EXECUTION, "123456789012:l", "java", options=True).text(),
    Marker(EXECUTION, "l", "node").text(),
]


def mutated(text: str, random: random.Random) -> str:
    """The text with up to four places changed, doubled, cut out or replaced."""
    for _ in range(random.randint(1, 4)):
        at, end = sorted(random.randrange(len(text) + 1) for _ in range(2))
        text = random.choice([
            lambda at=at, end=end, text=text: text[:at] + random.choice(BITS) + text[at:],
            lambda at=at, end=end, text=text: text[:at] + text[end:],
            lambda at=at, end=end, text=text: text[:end] + text[at:end] * random.choice([1, 2, 50]) + text[end:],
            lambda at=at, end=end, text=text: text[:at] + chr(random.randrange(0x3000)) + text[at + 1 :],
        ])()  # fmt: skip
    return text


def test_a_mutated_marker_is_a_marker_or_none() -> None:
    source, read = random.Random(1), 0
    for _ in range(COUNT):
        text = mutated(source.choice(MARKERS), source)
        with contextlib.suppress(ValueError):
            marker = parse_marker(text)
            read += 1
            assert uuid.UUID(marker.execution) and len(marker.layer) < 154 and parse_marker(marker.text()) == marker
            assert all(0 <= weight <= 1 for weight in marker.weights.values())
    assert 0 < read < COUNT / 2


def test_a_mutated_record_is_a_record_or_none() -> None:
    source, read = random.Random(2), 0
    config = {"FunctionName": "f", "FunctionArn": "a:b:c:d:123456789012:f", "Handler": "h.h", "Environment": {"Variables": {"A": "1"}}}
    entries = [entry_of(EXECUTION, config, marker) for marker in MARKERS]
    import json

    for _ in range(COUNT):
        text = pack(entries) if source.random() < 0.5 else ""
        text = mutated(text, source) if text else json.dumps(entries)
        if text.startswith("["):
            # Well packed, and something else inside.
            with contextlib.suppress(ValueError):
                text = pack(json.loads(mutated(text, source)))
        with contextlib.suppress(ValueError):
            for entry in parse_entries(unpack(text), EXECUTION):
                read += 1
                assert parse_marker(entry["m"]).execution == EXECUTION and len(entry["n"]) <= 64
    assert read > 0


def test_whatever_stands_beside_them_other_functions_are_restored(lab: LabWorld) -> None:
    source, names = random.Random(3), [lab.function() for _ in range(2)]
    before = {name: lab.snapshot(name) for name in names}
    noise = [lab.function(kind="bare") for _ in range(6)]
    entries = [entry_of(EXECUTION, lab.config(name), MARKERS[2]) for name in names]
    for _ in range(COUNT // 200):
        for name in noise:
            text = "".join(char for char in mutated(source.choice(MARKERS), source)[:900] if char.isprintable())
            with contextlib.suppress(lab.fn.exceptions.ClientError):
                lab.fn.update_function_configuration(FunctionName=name, Environment={"Variables": {"FAULTLAYER_RESTORE": text}})
        for part in range(4):
            with contextlib.suppress(lab.ssm.exceptions.ClientError):
                lab.ssm.put_parameter(
                    Name=f"/faultlayer/Faultlayer/record/{EXECUTION}/{part:03}", Type="String", Overwrite=True,
                    Value=mutated(pack(entries), source)[:4000] or "x",
                )  # fmt: skip
        execution = lab.attach(names)
        lab.restore(**source.choice([{"ExecutionId": execution}, {"AllMarked": True}, {"FunctionNames": names}]))
        assert {name: lab.snapshot(name) for name in names} == before
