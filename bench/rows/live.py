"""An invocation through the real client under a plan from a place, beside the same plan in the variable: while that
can be read, and once the extension that it comes from is silent, slow, broken or gone.

What is in trouble was well until the plan was in force, and is asked again by every invocation that may. Of each round
the median of its invocations, and what one in a hundred takes at least: there it would show if a few of them waited.
"""

from __future__ import annotations

import statistics
from functools import partial
from pathlib import Path

from figures import Figures, quantile
from places import NONE_DRAWN
from runtime_api import turnarounds

from rows.starts import Way, in_each_language

# Found by what `starts` puts on the path.
from extension import Extension  # isort: skip

VARIABLE, ANSWERS = "the plan in the variable", "an extension that answers"
TROUBLE = {
    "silent": "silent",
    "slow": "a byte each 100 ms",
    "failing": "answers 500",
    "garbage": "answers garbage",
    "gone": "nobody listens",
}


def kinds(extension: Extension, file: Path) -> dict[str, tuple[dict[str, str], str]]:
    """By name: the variables that differ, and what becomes of the extension once the plan is in force."""
    asked = extension.variables("appconfig:shop/prod/faults")
    return {
        VARIABLE: ({"FAULTLAYER_PLAN": NONE_DRAWN}, "well"),
        "a file, read at every invocation": (asked | {"FAULTLAYER_PLAN": f"file:{file}"}, "well"),
        f"{ANSWERS}, every 10 s": (asked | {"FAULTLAYER_PLAN_REFRESH_S": "10"}, "well"),
        f"{ANSWERS}, at every invocation": (asked, "well"),
        **{f"an extension in trouble: {said}": (asked, way) for way, said in TROUBLE.items()},
    }


def compare(figures: Figures, of: str, ways: dict[str, Way], code: Path, quick: bool) -> None:
    command, variables = ways["with a plan"]
    file = code / "plan.json"
    file.write_text(NONE_DRAWN)
    taken: dict[str, dict[str, list[float]]] = {"p50": {}, "p99": {}}
    with Extension() as extension:
        extension.plan(NONE_DRAWN)
        for _ in range(2 if quick else 4):
            for name, (differing, way) in kinds(extension, file).items():
                extension.become("well")
                calls, warm = 300 if quick else 1000, partial(extension.become, way)
                took = turnarounds(command, variables | differing, code, calls, warm=warm)
                taken["p50"].setdefault(name, []).append(statistics.median(took))
                taken["p99"].setdefault(name, []).append(quantile(took, 0.99))
    for part, rounds in taken.items():
        named = {f"{of}, {name}, {part}": values for name, values in rounds.items()}
        figures.beside("µs", named, f"{of}, {VARIABLE}, {part}")


def measure(quick: bool) -> Figures:
    figures = Figures()
    in_each_language(figures, lambda of, ways, code: compare(figures, of, ways, code, quick))
    return figures
