"""A cold start with the real clients, from the start of the process to its first request for an invocation, and the
memory that the process has then: bare, with the layer, and with what others load."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import peers
import places
from figures import Figures
from places import HERE, NONE_DRAWN, REACHING, ROOT

# Behind our own: both have a Runtime API.
sys.path.append(str(ROOT / "bindings-python" / "tests"))

import interpreters

# As the managed runtimes start a JVM.
JVM = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-Xmx256m"]
JAVA_CLIENT = "com.amazonaws.services.lambda.runtime.api.client.AWSLambda"
OF_THE_CLIENT = "-Dcom.amazonaws.services.lambda.runtime.api.client.runtimeapi.NativeClient.JNI="
UNMATCHED = {"rate": 1, "match": {"event": {"order": {"id": ["b-2"]}}}}

CALLS = "with faults in calls to AWS"
WITH_AN_SDK = "with a plan and an SDK"
# What more a plan puts into a process than another one does, of the same function.
BESIDE = {**dict.fromkeys(REACHING, "with a plan"), f"{CALLS}, with an SDK": WITH_AN_SDK}

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
                tasks = list(filter(None, map(times, Path(f"/proc/{process.pid}/task").iterdir())))
        finally:
            process.kill()
            process.wait()
    [kb] = [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")]
    return {"ms": took * 1000, "cpu ms": sum(int(task.split()[0]) for task in tasks) / 1e6, "MB": kb / 1024}


def times(task: Path) -> str:
    """What a thread has run; nothing where it has ended meanwhile."""
    try:
        return (task / "schedstat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def has_python(version: str) -> bool:
    """Whether there is such an interpreter, and a client for it."""
    return bool(interpreters.interpreter(version)) and interpreters.client(version).is_dir()


def python_way(version: str, code: Path, handler: str, *more: str, **variables: str) -> Way:
    interpreter = interpreters.interpreter(version)
    assert interpreter
    path = ":".join([str(code), *more, str(interpreters.client(version))])
    return [interpreter, "-m", "awslambdaric", handler], {"PYTHONPATH": path, "_HANDLER": handler, **variables}


def python_ways(version: str, code: Path) -> dict[str, Way]:
    (code / "app.py").write_text("def handler(event, context):\n    return None\n")
    layer = str(places.layer("python") / "python")

    def layered(**variables: str) -> Way:
        return python_way(
            version, code, "faultlayer_layer.handler", layer, FAULTLAYER_HANDLER="app.handler", **variables
        )

    return {
        "bare": python_way(version, code, "app.handler"),
        "nothing can fire": layered(FAULTLAYER_DISABLED="1"),
        "with a plan": layered(FAULTLAYER_PLAN=NONE_DRAWN),
    }


def importing_boto3(version: str, code: Path) -> dict[str, Way]:
    site = next((peers.python().parents[1] / "lib").glob("python3*/site-packages"))
    if site.parent.name != f"python{version}":
        return {}
    (code / "with_boto3.py").write_text("import boto3\n\n\ndef handler(event, context):\n    return None\n")
    layered = [str(places.layer("python") / "python"), str(site)]
    ours = python_way(version, code, "faultlayer_layer.handler", *layered, FAULTLAYER_HANDLER="with_boto3.handler")
    return {"importing boto3": python_way(version, code, "with_boto3.handler", str(site))} | loaded(ours)


def node_way(pair: dict[str, str], handler: str, **variables: str) -> Way:
    return [*pair["command"], handler], {"_HANDLER": handler, **variables}


def node_ways(pair: dict[str, str], code: Path) -> dict[str, Way]:
    (code / "index.js").write_text("'use strict';\nexports.handler = async () => null;\n")
    ours = str(places.layer("node") / "faultlayer/node/handler.handler")
    return {
        "bare": node_way(pair, "index.handler"),
        "nothing can fire": node_way(pair, ours, FAULTLAYER_HANDLER="index.handler", FAULTLAYER_DISABLED="1"),
        "with a plan": node_way(pair, ours, FAULTLAYER_HANDLER="index.handler", FAULTLAYER_PLAN=NONE_DRAWN),
    }


def requiring_the_sdk(pair: dict[str, str], code: Path) -> dict[str, Way]:
    (code / "with_sdk.js").write_text(
        f"'use strict';\nrequire({json.dumps(str(peers.node() / 'node_modules/@aws-sdk/client-ssm'))});\n"
        "exports.handler = async () => null;\n"
    )
    ours = str(places.layer("node") / "faultlayer/node/handler.handler")
    layered = node_way(pair, ours, FAULTLAYER_HANDLER="with_sdk.handler")
    return {"requiring @aws-sdk/client-ssm": node_way(pair, "with_sdk.handler")} | loaded(layered)


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
    kinds = java_kinds(figures) | {"an empty agent": {"JAVA_TOOL_OPTIONS": f"-javaagent:{peers.empty_agent()}"}}
    return {name: ([*command, JAVA_CLIENT, "bench.Sample"], variables) for name, variables in kinds.items()}


def java_with_the_sdk() -> dict[str, Way]:
    command = [peers.tool("java"), *JVM, f"{OF_THE_CLIENT}{places.java_client_library()}"]
    agent = f"-javaagent:{places.layer('java') / 'faultlayer/faultlayer-agent.jar'}"
    path = ["-cp", places.java_sdk_class_path()]
    return loaded(([*command, *path, JAVA_CLIENT, "bench.WithSdk"], {"JAVA_TOOL_OPTIONS": agent}))


def in_each_language(figures: Figures, work: Callable[[str, dict[str, Way], Path], None]) -> None:
    """Hands each language's ways to `work`, of one interpreter each, by its name and with the function's folder."""
    with tempfile.TemporaryDirectory() as folder:
        code = Path(folder)
        if has_python("3.11"):
            work("Python 3.11", python_ways("3.11", code), code)
        else:
            figures.skip("Python 3.11", "no interpreter, or no client for it")
        try:
            pair = node_pairs()[0]
            work(pair["name"], node_ways(pair, code), code)
        except (peers.Missing, FileNotFoundError, IndexError) as missing:
            figures.skip("Node", str(missing))
        try:
            work("Java", java_ways(figures), code)
        except peers.Missing as missing:
            figures.skip("Java", str(missing))


def reaching(ways: dict[str, Way]) -> dict[str, Way]:
    """As with a plan, with others that put more into the process."""
    command, variables = ways["with a plan"]
    return {name: (command, {**variables, "FAULTLAYER_PLAN": plan}) for name, plan in REACHING.items()}


def loaded(layered: Way) -> dict[str, Way]:
    """A function that has an SDK, which is what faults in calls to AWS are for, under them and under another plan."""
    command, variables = layered
    plans = {WITH_AN_SDK: NONE_DRAWN, f"{CALLS}, with an SDK": REACHING[CALLS]}
    return {name: (command, {**variables, "FAULTLAYER_PLAN": plan}) for name, plan in plans.items()}


def compare(figures: Figures, of: str, ways: dict[str, Way], code: Path, runs: int) -> None:
    ways = ways | reaching(ways)
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
        for name, other in BESIDE.items():
            if name in rounds:
                figures.added(f"{of}, {name}, {unit}, beside another plan", unit, rounds[name], rounds[other])


def measure(quick: bool) -> Figures:
    figures, runs = Figures(), 3 if quick else 26
    with tempfile.TemporaryDirectory() as folder:
        code = Path(folder)
        for version in ("3.11", "3.13"):
            if has_python(version):
                ways = python_ways(version, code) | importing_boto3(version, code)
                compare(figures, f"Python {version}", ways, code, runs)
            else:
                figures.skip(f"Python {version}", "no interpreter, or no client for it")
        try:
            for pair in node_pairs():
                ways = node_ways(pair, code) | requiring_the_sdk(pair, code)
                compare(figures, pair["name"], ways, code, runs)
        except (peers.Missing, FileNotFoundError) as missing:
            figures.skip("Node", str(missing))
        try:
            compare(figures, "Java", java_ways(figures) | java_with_the_sdk(), code, max(3, runs // 2))
        except peers.Missing as missing:
            figures.skip("Java", str(missing))
    return figures
