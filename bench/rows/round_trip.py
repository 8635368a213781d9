"""An invocation through the real client, from the event to the answer, bare and with the layer, and with a proxy of the
Runtime API between the two."""

from __future__ import annotations

import statistics
from pathlib import Path

import peers
from figures import Figures
from runtime_api import turnarounds

from rows.starts import Way, in_each_language


def compare(figures: Figures, of: str, ways: dict[str, Way], code: Path, quick: bool) -> None:
    """Of each run the median of its invocations: what is compared is what half of them take."""
    chosen = {name: way for name, way in ways.items() if name in ("bare", "nothing can fire", "with a plan")}
    proxy = None
    try:
        proxy = peers.proxy()
    except peers.Missing as missing:
        figures.skip(f"{of}, behind a proxy", str(missing))
    rounds: dict[str, list[float]] = {name: [] for name in (*chosen, *(["behind a proxy"] if proxy else []))}
    for _ in range(2 if quick else 5):
        for name, medians in rounds.items():
            command, variables = chosen.get(name, chosen["bare"])
            between = proxy if name == "behind a proxy" else None
            took = turnarounds(command, variables, code, 300 if quick else 1500, proxy=between)
            medians.append(statistics.median(took))
    figures.beside("µs", {f"{of}, {name}": values for name, values in rounds.items()}, f"{of}, bare")


def measure(quick: bool) -> Figures:
    figures = Figures()
    in_each_language(figures, lambda of, ways, code: compare(figures, of, ways, code, quick))
    return figures
