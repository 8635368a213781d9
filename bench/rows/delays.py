"""How precisely an injected delay holds, beside the language's own sleep: what passes beyond what was asked for, in µs.

Delays of 1, 10, 100 and 1,000 ms around a handler that does nothing, in turns with the sleep. The first of a process,
for which the language loads what it needs, stands by itself.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import peers
import places
from figures import Figures

TIMES = {1: 300, 10: 150, 100: 30, 1000: 3}


def commands() -> dict[str, list[str]]:
    """By language, what is followed by the delay and how often it is held."""
    found = {
        "Python": ["python3", "-S", "-E", str(places.HERE / "python/delays.py"), str(places.layer("python") / "python")]
    }
    found["Node"] = [
        "node",
        str(places.HERE / "node/delays.mjs"),
        str(places.layer("node") / "faultlayer/node/handler.mjs"),
    ]
    agent = places.layer("java") / "faultlayer/faultlayer-agent.jar"
    found["Java"] = ["java", f"-javaagent:{agent}", "-cp", places.java_class_path(), "bench.Delays"]
    return found


def measure(quick: bool) -> Figures:
    figures = Figures()
    for language, tool in {"Python": "python3", "Node": "node", "Java": "javac"}.items():
        try:
            peers.tool(tool)
        except peers.Missing as missing:
            figures.skip(language, str(missing))
            continue
        for delay, times in TIMES.items():
            plan = places.plan({"rate": 1, "delay_ms": delay})
            variables = {"FAULTLAYER_PLAN": plan, "FAULTLAYER_HANDLER": "index.handler"}
            told = subprocess.run(
                [*commands()[language], str(delay), str((max(3, times // 20) if quick else times) + 1)],
                env=places.clean_environment(
                    LAMBDA_TASK_ROOT=str(Path(__file__).parents[1] / "node/function"), **variables
                ),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                check=True,
            )
            line = next(line for line in told.stderr.splitlines() if line.startswith("{"))
            for name, (first, *beyond) in json.loads(line).items():
                figures.add(f"{language}, {delay} ms, {name}", "µs", beyond)
                figures.add(f"{language}, {delay} ms, {name}, the first of a process", "µs", [first])
    return figures
