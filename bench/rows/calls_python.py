"""A call in Python: the layer where nothing can fire, under a plan, and what the peers take for the same."""

from __future__ import annotations

import json
import subprocess

import peers
import places
from figures import Figures


def measure(quick: bool) -> Figures:
    figures = Figures()
    site = ""
    try:
        site = str(next((peers.python().parents[1] / "lib").glob("python3*/site-packages")))
        python = str(peers.python())
    except peers.Missing as missing:
        figures.skip("chaos-lambda, failureflags", str(missing))
        python = "python3"
    asked = {"layer": str(places.layer("python") / "python"), "site": site, "rounds": 5 if quick else 25}
    told = subprocess.run(
        [python, "-S", "-E", str(places.HERE / "python/calls.py"), json.dumps(asked)],
        capture_output=True,
        text=True,
        check=True,
    )
    rounds = json.loads(told.stdout.splitlines()[-1])
    figures.beside("ns", rounds)
    return figures
