"""The documents at fleet scale, in the lab at AWS's rates: attaching and rolling back, beside the estimate.

Real seconds, nothing is scaled: so 50 and 300 functions in `make bench`, 1,000 in `make bench-fleet-1000`, and any
number in `make scale-ssm SCALE=N`. The estimate is the physical limit: so many updates at so many a second.
"""

from __future__ import annotations

import re
import subprocess

from figures import Figures
from places import ROOT

TIMES = r"\{'Attach': ([\d.]+), 'Restore': ([\d.]+)\}"
LINE = re.compile(f"functions: estimated {TIMES}, taken {TIMES}")


def measure(quick: bool) -> Figures:
    return measured(50) if quick else measured(50, 300)


def measured(*many: int) -> Figures:
    figures = Figures()
    for functions in many:
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
