"""What a row of the benchmark measured: each figure with its spread, and what could not be had, by name."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import Any


def quantile(values: list[float], part: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


@dataclass
class Figures:
    """Of one row."""

    figures: dict[str, dict[str, Any]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    def add(self, what: str, unit: str, values: list[float]) -> None:
        """All that was measured, in its order; of one value there is no spread."""
        self.figures[what] = {
            "unit": unit,
            "n": len(values),
            "median": round(statistics.median(values), 4),
            "p25": round(quantile(values, 0.25), 4),
            "p75": round(quantile(values, 0.75), 4),
            "p99": round(quantile(values, 0.99), 4),
            "min": round(min(values), 4),
            "max": round(max(values), 4),
        }

    def added(self, what: str, unit: str, values: list[float], bare: list[float]) -> None:
        """What it takes more than `bare`, round by round: both alternate, so that both meet the same machine."""
        self.add(f"{what}, added", unit, [value - beside for value, beside in zip(values, bare, strict=True)])

    def beside(self, unit: str, rounds: dict[str, list[float]], bare: str = "bare") -> None:
        """All that was measured in turns, the bare one as it is and the others as what they add to it."""
        self.add(bare, unit, rounds[bare])
        for what, values in rounds.items():
            if what != bare:
                self.added(what, unit, values, rounds[bare])

    def skip(self, what: str, why: str) -> None:
        """It cannot be had here."""
        self.skipped[what] = why
