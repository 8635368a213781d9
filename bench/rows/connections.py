"""What watching connections costs: connecting where nobody named the host, and a round trip over the relay."""

from __future__ import annotations

import json
import subprocess
import sys

import places
from figures import Figures


def measure(quick: bool) -> Figures:
    figures = Figures()
    if sys.platform != "linux":
        figures.skip("all of it", "connections are reached on Linux")
        return figures
    build = ["cargo", "build", "--quiet", "--release", "-p", "faultlayer-network", "--example", "network_harness"]
    subprocess.run(build, cwd=places.ROOT, check=True)
    asked = json.dumps({"rounds": 5 if quick else 60})
    command = [sys.executable, str(places.HERE / "python/connections.py"), asked]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    measured = json.loads(done.stdout.splitlines()[-1])
    for what, kinds in measured.items():
        named = {f"{what}, {kind}": values for kind, values in kinds.items()}
        figures.beside("µs", named, next(iter(named)))
    return figures
