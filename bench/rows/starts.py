"""A cold start with the real clients, from the start of the process to its first request for an invocation, and the
memory that the process has then: bare, with the layer, and with what others load."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import peers
import places
from figures import Figures
from places import HERE, NONE_DRAWN, ROOT

sys.path.insert(0, str(ROOT / "bindings-python" / "tests"))

import interpreters

# As the managed runtimes start a JVM.
JVM = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-Xmx256m"]
JAVA_CLIENT = "com.amazonaws.services.lambda.runtime.api.client.AWSLambda"
OF_THE_CLIENT = "-Dcom.amazonaws.services.lambda.runtime.api.client.runtimeapi.NativeClient.JNI="
UNMATCHED = {"rate": 1, "match": {"event": {"order": {"id": ["b-2"]}}}}

Way = tuple[list[str], dict[str, str]]


def start(command: list[str], variables: dict[str, str], cwd: Path) -> dict[str, float]:
    """Milliseconds by the clock and on the processor, and MB, of one start."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        address = f"127.0.0.1:{server.getsockname()[1]}"
        environment = places.clean_environment(
            AWS_LAMBDA_RUNTIME_API=address,
            AWS_LAMBDA_FUNCTION_NAME="bench",
            AWS_LAMBDA_FUNCTION_MEMORY_SIZE="512",
            AWS_REGION="eu-west-1",
            LAMBDA_TASK_ROOT=str(cwd),
            **variables,
        )
        begun = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=cwd, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            connection, _ = server.accept()
            with connection:
                connection.recv(1)
                took = time.perf_counter() - begun
                status = Path(f"/proc/{process.pid}/status").read_text()
                tasks = [task.read_text() for task in Path(f"/proc/{process.pid}/task").glob("*/schedstat")]
        finally:
            process.kill()
            process.wait()
    [kb] = [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")]
    return {"ms": took * 1000, "cpu ms": sum(int(task.split()[0]) for task in tasks) / 1e6, "MB": kb / 1024}


def has_python(version: str) -> bool:
    """Whether there is such an interpreter, and a client for it."""
    return bool(interpreters.interpreter(version)) and interpreters.client(version).is_dir()


def python_ways(version: str, code: Path) -> dict[str, Way]:
    (code / "app.py").write_text("def handler(event, context):\n    return None\n")
    (code / "with_boto3.py").write_text("import boto3\n\n\ndef handler(event, context):\n    return None\n")
    interpreter = interpreters.interpreter(version)
    assert interpreter
    client, layer = str(interpreters.client(version)), str(places.layer("python") / "python")

    def way(handler: str, *more: str, **variables: str) -> Way:
        path = ":".join([str(code), *more, client])
        return [interpreter, "-m", "awslambdaric", handler], {"PYTHONPATH": path, "_HANDLER": handler, **variables}

    ours = {"FAULTLAYER_HANDLER": "app.handler"}
    ways = {
        "bare": way("app.handler"),
        "nothing can fire": way("faultlayer_layer.handler", layer, **ours, FAULTLAYER_DISABLED="1"),
        "with a plan": way("faultlayer_layer.handler", layer, **ours, FAULTLAYER_PLAN=NONE_DRAWN),
    }
    site = next((peers.python().parents[1] / "lib").glob("python3*/site-packages"))
    if site.parent.name == f"python{version}":
        ways["importing boto3"] = way("with_boto3.handler", str(site))
    return ways


def node_ways(pair: dict[str, str], code: Path) -> dict[str, Way]:
    (code / "index.js").write_text("'use strict';\nexports.handler = async () => null;\n")
    (code / "with_sdk.js").write_text(
        f"'use strict';\nrequire({json.dumps(str(peers.node() / 'node_modules/@aws-sdk/client-ssm'))});\n"
        "exports.handler = async () => null;\n"
    )

    def way(handler: str, **variables: str) -> Way:
        return [*pair["command"], handler], {"_HANDLER": handler, **variables}

    ours = str(places.layer("node") / "faultlayer/node/handler.handler")
    return {
        "bare": way("index.handler"),
        "nothing can fire": way(ours, FAULTLAYER_HANDLER="index.handler", FAULTLAYER_DISABLED="1"),
        "with a plan": way(ours, FAULTLAYER_HANDLER="index.handler", FAULTLAYER_PLAN=NONE_DRAWN),
        "requiring @aws-sdk/client-ssm": way("with_sdk.handler"),
    }


def node_pairs() -> list[dict[str, str]]:
    told = subprocess.run(["node", str(HERE / "node/pairs.mjs")], capture_output=True, text=True, check=True).stdout
    pairs: list[dict[str, str]] = json.loads(told)
    return pairs


def java_kinds(figures: Figures) -> dict[str, dict[str, str]]:
    """By kind, the variables of its JVM."""
    ours = {"JAVA_TOOL_OPTIONS": f"-javaagent:{places.layer('java') / 'faultlayer/faultlayer-agent.jar'}"}
    kinds = {
        "bare": {},
        "nothing can fire": ours,
        "with a plan": {**ours, "FAULTLAYER_PLAN": NONE_DRAWN},
        "match does not match": {**ours, "FAULTLAYER_PLAN": places.plan(UNMATCHED)},
    }
    try:
        kinds["an agent by Byte Buddy"] = {"JAVA_TOOL_OPTIONS": f"-javaagent:{peers.byte_buddy()}"}
    except peers.Missing as missing:
        figures.skip("an agent by Byte Buddy", str(missing))
    return kinds


def java_ways(figures: Figures) -> dict[str, Way]:
    command = [
        peers.tool("java"),
        *JVM,
        f"{OF_THE_CLIENT}{places.java_client_library()}",
        "-cp",
        places.java_class_path(),
    ]
    return {
        name: ([*command, JAVA_CLIENT, "bench.Sample"], variables) for name, variables in java_kinds(figures).items()
    }


def compare(figures: Figures, of: str, ways: dict[str, Way], code: Path, runs: int) -> None:
    seen: dict[str, list[dict[str, float]]] = {name: [] for name in ways}
    for run in range(runs + 1):
        for name, (command, variables) in ways.items():
            told = start(command, variables, code)
            if run:  # The first of each fills the page cache.
                seen[name].append(told)
    for unit in ("ms", "cpu ms", "MB"):
        rounds = {name: [row[unit] for row in rows] for name, rows in seen.items()}
        figures.beside(
            unit, {f"{of}, {name}, {unit}": values for name, values in rounds.items()}, f"{of}, bare, {unit}"
        )


def measure(quick: bool) -> Figures:
    figures, runs = Figures(), 3 if quick else 30
    with tempfile.TemporaryDirectory() as folder:
        code = Path(folder)
        for version in ("3.11", "3.13"):
            if has_python(version):
                compare(figures, f"Python {version}", python_ways(version, code), code, runs)
            else:
                figures.skip(f"Python {version}", "no interpreter, or no client for it")
        try:
            for pair in node_pairs():
                compare(figures, pair["name"], node_ways(pair, code), code, runs)
        except (peers.Missing, FileNotFoundError) as missing:
            figures.skip("Node", str(missing))
        try:
            compare(figures, "Java", java_ways(figures), code, max(3, runs // 2))
        except peers.Missing as missing:
            figures.skip("Java", str(missing))
    return figures
