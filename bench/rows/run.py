"""`faultlayer run -n 100000`: its time, and whether its memory grows; and a call beside what the client needs alone."""

from __future__ import annotations

import tempfile
from pathlib import Path

from figures import Figures
from runtime_api import turnarounds

from rows.lab import run
from rows.starts import has_python, python_ways


def measure(quick: bool) -> Figures:
    figures = Figures()
    few, many = (200, 2_000) if quick else (10_000, 100_000)
    with tempfile.TemporaryDirectory() as folder:
        code = Path(folder)
        (code / "app.py").write_text("def handler(event, context):\n    return None\n")
        for calls in (few, many):
            took, memory = run(code, calls)
            figures.add(f"{calls} calls, memory", "MB", [memory])
            figures.add(f"{calls} calls", "s", [took])
        beside_the_client(figures, code, *((50, 200, 1) if quick else (200, 2_200, 7)))
    return figures


def beside_the_client(figures: Figures, code: Path, few: int, many: int, rounds: int) -> None:
    """A call of either, in turns; of `faultlayer run` without what starting takes, which is in both of its numbers."""
    if not has_python("3.11"):
        return figures.skip("the client alone", "no Python 3.11, or no client for it")
    command, variables = python_ways("3.11", code)["bare"]
    ours, theirs = [], []
    for _ in range(rounds):
        (before, _), (took, _) = run(code, few), run(code, many)
        ours.append((took - before) / (many - few) * 1e6)
        alone = turnarounds(command, variables, code, many, returns=True)
        theirs.append(sum(alone) / len(alone))
    figures.add("a call", "µs", ours)
    figures.add("a call, the client alone from one event to the next", "µs", theirs)
    return None
