"""The documents at fleet scale, in the lab at AWS's rates: attaching and rolling back, beside the estimate.

Real seconds, nothing is scaled: so 50 and 300 functions here, and more by `make scale-ssm SCALE=N`. The estimate is the
physical limit: so many updates at so many a second.
"""

from __future__ import annotations

import re
import subprocess

from figures import Figures
from places import ROOT

TIMES = r"\{'Attach': ([\d.]+), 'Restore': ([\d.]+)\}"
LINE = re.compile(f"functions: estimated {TIMES}, taken {TIMES}")


def measure(quick: bool) -> Figures:
    figures = Figures()
    for functions in (50,) if quick else (50, 300):
        told = subprocess.run(
            ["make", "--no-print-directory", "scale-ssm", f"SCALE={functions}"],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        found = LINE.search(told.stdout)
        if not found:
            raise RuntimeError(
                f"make scale-ssm says nothing of {functions} functions:\n{told.stdout[-2000:]}{told.stderr[-2000:]}"
            )
        for what, seconds in zip(
            ("attach, estimated", "restore, estimated", "attach", "restore"), found.groups(), strict=True
        ):
            figures.add(f"{functions} functions, {what}", "s", [float(seconds)])
    return figures
