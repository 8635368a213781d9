"""Patterns against event-ruler in a warm JVM: rules and events of the sorts that its own benchmark has.

Its events are the lots of a city as GeoJSON, which its archive does not have: these are made here in their form, from
a fixed seed. Each event meets five rules at once. Both are given it as JSON text; both say how many rules matched,
which must be equal.
"""

from __future__ import annotations

import json
import random
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import peers
import places
from figures import Figures

STREETS = ["CRANLEIGH", "17TH", "MARIPOSA", "FOURTH", "VALLEJO", "SHAFTER", "ARGUELLO", "BATTERY", "HAYES", "NORIEGA"]


def lots(count: int) -> list[str]:
    """Features as that file has them."""
    drawn = random.Random(7)
    features = []
    for number in range(count):
        corner = [-122.5 + drawn.random() / 10, 37.7 + drawn.random() / 10]
        ring = [[round(at + drawn.random() / 1000, 12) for at in corner] + [0.0] for _ in range(drawn.randint(4, 14))]
        block, lot = f"{drawn.randint(1, 7300):04}", f"{drawn.randint(1, 120):03}"
        street = drawn.choice(STREETS)
        number_of = str(drawn.randint(1, 3000))
        properties = {
            "MAPBLKLOT": block + lot,
            "BLKLOT": block + lot,
            "BLOCK_NUM": block,
            "LOT_NUM": lot,
            "FROM_ST": number_of,
            "TO_ST": number_of,
            "STREET": street,
            "ST_TYPE": drawn.choice(["ST", "AVE", "DR", None]),
            "ODD_EVEN": drawn.choice("OE"),
        }
        geometry = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
        feature = {"type": "Feature", "properties": {"OBJECTID": number, **properties}, "geometry": geometry}
        features.append(json.dumps(feature))
    return features


def of(name: str, values: list[Any]) -> list[dict[str, Any]]:
    return [{"properties": {name: [value]}} for value in values]


SORTS = {
    "exact": of("MAPBLKLOT", ["1430022", "2607117", "2607218", "3745012", "VACSTWIL"]),
    "prefix": of("STREET", [{"prefix": text} for text in ("AC", "BL", "DR", "FU", "RH")]),
    "suffix": of("STREET", [{"suffix": text} for text in ("ON", "KE", "MM", "ING", "GO")]),
    "equals-ignore-case": of(
        "STREET", [{"equals-ignore-case": text} for text in ("jefferson", "bEaCh", "HyDe", "hayes", "17th")]
    ),
    "wildcard": of("STREET", [{"wildcard": text} for text in ("A*B*C*", "C*L*", "M*A*", "*A*I*", "VA*J*")]),
    "anything-but": of("STREET", [{"anything-but": [text]} for text in STREETS[:5]]),
    "numeric": [{"geometry": {"coordinates": [{"numeric": ["=", -122.42916360922355 - n]}]}} for n in range(5)],
    "several fields": [
        {"properties": {"STREET": [street], "ODD_EVEN": ["O"]}, "type": ["Feature"]} for street in STREETS[:5]
    ],
}


class Holding:
    """A program that holds the events against the rules, round by round as it is asked."""

    def __init__(self, command: list[str]) -> None:
        self.command = command
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.matched = int(self.told())

    def told(self) -> str:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.command[0]} ended with {self.process.wait()}")
        return line

    def events_per_s(self) -> float:
        """Of one round."""
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self.told())

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


def in_turns(programs: dict[str, list[str]], rounds: int) -> dict[str, list[float]]:
    """Events a second of each, round by round, so that all meet the same machine."""
    holding: dict[str, Holding] = {}
    try:
        for name, command in programs.items():
            holding[name] = Holding(command)
        if len({program.matched for program in holding.values()}) > 1:
            raise RuntimeError(f"{ {name: program.matched for name, program in holding.items()} }")
        rates: dict[str, list[float]] = {name: [] for name in holding}
        for _ in range(rounds):
            for name, program in holding.items():
                rates[name].append(program.events_per_s())
        return rates
    finally:
        for program in holding.values():
            program.end()


def measure(quick: bool) -> Figures:
    figures, rounds = Figures(), 3 if quick else 51
    events = lots(500 if quick else 5000)
    class_path = None
    try:
        class_path = peers.event_ruler()
    except peers.Missing as missing:
        figures.skip("event-ruler", str(missing))
    with tempfile.TemporaryDirectory() as folder:
        lines, rules = Path(folder, "events"), Path(folder, "rules")
        lines.write_text("\n".join(events) + "\n")
        for sort, patterns in SORTS.items():
            rules.write_text("\n".join(map(json.dumps, patterns)) + "\n")
            programs = {"Faultlayer": [str(places.engine()), "patterns"]}
            if class_path:
                programs["event-ruler"] = [peers.tool("java"), "-XX:+UseSerialGC", "-cp", class_path, "Matches"]
            rates = in_turns({name: [*program, str(rules), str(lines)] for name, program in programs.items()}, rounds)
            for name, values in rates.items():
                figures.add(f"{sort}, {name}", "events a second", values)
            if ruler := rates.get("event-ruler"):
                ratios = [ours / theirs for ours, theirs in zip(rates["Faultlayer"], ruler, strict=True)]
                figures.add(f"{sort}, times event-ruler", "times", ratios)
    return figures
