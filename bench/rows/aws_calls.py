"""What an attempt of a call to AWS takes more that no fault hits, under a plan that has such faults."""

from __future__ import annotations

import json
import subprocess

import peers
import places
from figures import Figures


def told(*command: str) -> dict[str, list[float]]:
    """By kind, its rounds: the last line that a program says."""
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=places.clean_environment())
    rounds: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    return rounds


def in_python(quick: bool) -> dict[str, list[float]]:
    asked = {"layer": str(places.layer("python") / "python"), "rounds": 3 if quick else 40}
    return told(str(peers.python()), str(places.HERE / "python/aws.py"), json.dumps(asked))


def in_node(quick: bool) -> dict[str, list[float]]:
    asked = {"layer": str(places.layer("node") / "faultlayer/node"), "rounds": 3 if quick else 200}
    return told(peers.tool("node"), str(places.HERE / "node/aws.cjs"), json.dumps(asked))


def measure(quick: bool) -> Figures:
    figures = Figures()
    for language, of in {"Python": in_python, "Node": in_node}.items():
        try:
            rounds = of(quick)
        except peers.Missing as missing:
            figures.skip(language, str(missing))
            continue
        named = {f"{language}, {what}": values for what, values in rounds.items()}
        figures.beside("µs", named, f"{language}, bare")
    return figures
