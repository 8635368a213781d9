"""`faultlayer run -n 100000`: its time beside what the real client needs alone, and whether its memory grows."""

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
        if has_python("3.11"):
            command, variables = python_ways("3.11", code)["bare"]
            took_us = turnarounds(command, variables, code, few, returns=True)
            figures.add(
                f"{many} calls, the client alone from one event to the next", "s", [sum(took_us) / few * many / 1e6]
            )
        else:
            figures.skip("the client alone", "no Python 3.11, or no client for it")
    return figures
