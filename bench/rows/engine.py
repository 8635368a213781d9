"""The engine as it is built for the layers: its paths, how they grow with the event, threads beside each other."""

from __future__ import annotations

import json
import subprocess

import places
from figures import Figures

UNITS = {"paths_ns": "ns", "sizes_ns": "ns", "threads_per_s": "a second"}


def measure(quick: bool) -> Figures:
    figures = Figures()
    told = subprocess.run([str(places.engine())], capture_output=True, text=True, check=True).stdout
    for group, paths in json.loads(told).items():
        for name, values in paths.items():
            what = f"decisions by {name} threads" if group == "threads_per_s" else name
            figures.add(what, UNITS[group], values)
    return figures
