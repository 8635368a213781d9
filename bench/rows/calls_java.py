"""A call in Java through the runtime client's own code, beside an agent that Byte Buddy builds.

An agent is a JVM's, so each kind has JVMs of its own, all kinds in turns; a JVM's figure is its best round, by the
processor time of the thread.
"""

from __future__ import annotations

import subprocess

import peers
import places
from figures import Figures

from rows.starts import java_kinds


def measure(quick: bool) -> Figures:
    figures = Figures()
    java, kinds = peers.tool("java"), java_kinds(figures)
    rounds: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(2 if quick else 5):
        for name, variables in kinds.items():
            command = [java, "-Xmx256m", "-XX:+UseSerialGC", "-cp", places.java_class_path(), "bench.Calls"]
            told = subprocess.run(
                command,
                env=places.clean_environment(AWS_LAMBDA_FUNCTION_NAME="bench", **variables),
                check=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            rounds[name].append(
                next(float(line.split()[1]) for line in told.stdout.splitlines() if line.startswith("ns "))
            )
    figures.beside("ns", rounds)
    return figures
