"""A call in Node: the layer where nothing can fire, under a plan, and what the peer takes for the same."""

from __future__ import annotations

import json
import subprocess

import peers
import places
from figures import Figures


def measure(quick: bool) -> Figures:
    figures = Figures()
    node = peers.tool("node")
    try:
        modules = str(peers.node())
    except peers.Missing as missing:
        figures.skip("failure-lambda", str(missing))
        modules = ""
    layer = str(places.layer("node") / "faultlayer/node")
    asked = {"layer": layer, "peers": modules, "rounds": 5 if quick else 25}
    program = [node, str(places.HERE / "node/calls.cjs"), json.dumps(asked)]
    told = subprocess.run(program, capture_output=True, text=True, check=True, env=places.clean_environment())
    rounds = json.loads(told.stdout.splitlines()[-1])
    awaited = {name: rounds.pop(name) for name in list(rounds) if name.startswith(("bare, awaited", "failure-lambda"))}
    figures.beside("ns", rounds)
    if awaited:
        figures.beside("ns", awaited, "bare, awaited")
    return figures
