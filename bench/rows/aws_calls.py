"""What an attempt of a call to AWS takes more that no fault hits, under a plan that has such faults."""

from __future__ import annotations

import json
import subprocess

import peers
import places
from figures import Figures

THROTTLE = {
    "kind": "aws_call",
    "rate": 1,
    "match": {"event": {"hit": [True]}},
    "target": {"service": ["dynamodb"], "operation": ["PutItem"]},
}


def told(*command: str, **variables: str) -> dict[str, list[float]]:
    """By kind, its rounds: the last line that a program says."""
    environment = places.clean_environment(**variables)
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    rounds: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    return rounds


def in_python(quick: bool) -> dict[str, list[float]]:
    asked = {"layer": str(places.layer("python") / "python"), "rounds": 3 if quick else 40}
    return told(str(peers.python()), str(places.HERE / "python/aws.py"), json.dumps(asked))


def in_node(quick: bool) -> dict[str, list[float]]:
    asked = {"layer": str(places.layer("node") / "faultlayer/node"), "rounds": 3 if quick else 200}
    return told(peers.tool("node"), str(places.HERE / "node/aws.cjs"), json.dumps(asked))


def in_java(quick: bool) -> dict[str, list[float]]:
    java = peers.tool("java")
    agent = f"-javaagent:{places.layer('java') / 'faultlayer/faultlayer-agent.jar'}"
    variables = {"FAULTLAYER_PLAN": places.plan(THROTTLE), "AWS_LAMBDA_FUNCTION_NAME": "bench"}
    return told(
        java,
        "-XX:+UseSerialGC",
        agent,
        "-cp",
        places.java_sdk_class_path(),
        "bench.AwsCalls",
        "3" if quick else "40",
        **variables,
    )


def measure(quick: bool) -> Figures:
    figures = Figures()
    for language, of in {"Python": in_python, "Node": in_node, "Java": in_java}.items():
        try:
            rounds = of(quick)
        except peers.Missing as missing:
            figures.skip(language, str(missing))
            continue
        named = {f"{language}, {what}": values for what, values in rounds.items()}
        figures.beside("µs", named, f"{language}, bare")
    return figures
