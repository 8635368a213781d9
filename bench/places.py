"""What benchmarks and counts run: the layers as Lambda unpacks them, Java's class path, the peers' own folder."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
CACHE = ROOT / ".cache" / "bench"
MACHINE = platform.machine().replace("aarch64", "arm64")

# Drawn for one id in 10^15, so for none that is here.
SELDOM = 1e-15
REQUEST_ID = "8f5c7d1e-7b61-11e6-9a41-93e8deadbeef"


def plan(*faults: dict[str, Any]) -> str:
    """A plan as a layer takes it."""
    delays = [{"id": f"fault-{n}", "kind": "latency", "delay_ms": 1, **fault} for n, fault in enumerate(faults)]
    return json.dumps({"version": 1, "expires_at": "2099-01-01T00:00:00Z", "faults": delays})


NONE_DRAWN = plan(*[{"rate": SELDOM}] * 7)
# What each puts into a process, beside what every plan does.
REACHING = {
    "with faults in calls to AWS": plan({"kind": "aws_call", "rate": SELDOM, "target": {"service": ["dynamodb"]}}),
    "with faults in connections": plan(
        {"kind": "network", "rate": SELDOM, "target": {"host": ["db.internal"]}, "effect": "latency"}
    ),
}


def archive(language: str) -> Path:
    """The layer for this machine."""
    return ROOT / "dist" / "layers" / f"faultlayer-{language}-{MACHINE}.zip"


@cache
def layer(language: str) -> Path:
    """Where the layer's archive is unpacked: what stands under /opt in Lambda."""
    opt = CACHE / "opt" / language
    shutil.rmtree(opt, ignore_errors=True)
    with zipfile.ZipFile(archive(language)) as opened:
        opened.extractall(opt)
    return opt


def maven(*arguments: str) -> None:
    subprocess.run(["mvn", "--batch-mode", "--quiet", "--no-transfer-progress", *arguments], check=True)


@cache
def java_class_path() -> str:
    """The runtime client's jars and the benchmark's own classes."""
    libraries, classes = CACHE / "java" / "lib", CACHE / "java" / "classes"
    if not libraries.is_dir():
        copy = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
        wanted = ["-DincludeScope=runtime", f"-DoutputDirectory={libraries}"]
        maven("-f", str(HERE / "java" / "client.xml"), copy, *wanted)
    jars = [str(jar) for jar in sorted(libraries.glob("*.jar"))]
    classes.mkdir(parents=True, exist_ok=True)
    sources = [str(source) for source in sorted((HERE / "java/src/main/java/bench").glob("*.java"))]
    subprocess.run(["javac", "--release", "11", "-cp", ":".join(jars), "-d", str(classes), *sources], check=True)
    return ":".join([str(classes), *jars])


@cache
def java_sdk_class_path() -> str:
    """The same with AWS's SDK, version 2, and what is measured with it."""
    function = ROOT / "bindings-java" / "calls" / "target" / "classes"
    if not (function / "lib").is_dir():
        subprocess.run(["make", "--no-print-directory", "calls-java"], cwd=ROOT, check=True)
    classes = CACHE / "java" / "aws"
    classes.mkdir(parents=True, exist_ok=True)
    path = f"{classes}:{java_class_path()}:{function / 'lib'}/*"
    sources = [str(source) for source in sorted((HERE / "java/aws").glob("*.java"))]
    subprocess.run(["javac", "-cp", path, "-d", str(classes), *sources], check=True)
    return path


@cache
def java_client_library() -> Path:
    """The runtime client's own library, which it unpacks to one fixed place unless it is told where it is."""
    java_class_path()
    [client] = (CACHE / "java" / "lib").glob("aws-lambda-java-runtime-interface-client-*.jar")
    library = CACHE / "java" / "client.so"
    machine = {"arm64": "aarch_64"}.get(MACHINE, MACHINE)
    with zipfile.ZipFile(client) as archive:
        library.write_bytes(archive.read(f"jni/libaws-lambda-jni.linux-{machine}.so"))
    return library


@cache
def engine() -> Path:
    """The engine's own benchmark, as what goes into the layers is built; its path changes with what it is built of."""
    command = ["cargo", "build", "--quiet", "--profile", "layer", "-p", "faultlayer-core", "--bench", "engine"]
    told = subprocess.run([*command, "--message-format=json"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    built = [path for line in told.stdout.splitlines() if (path := json.loads(line).get("executable"))]
    return Path(built[-1])


CLEARED = ("AWS_", "FAULTLAYER_", "JAVA_", "PYTHON", "NODE_")


def clean_environment(**more: str) -> dict[str, str]:
    """This environment without what a layer, a runtime client or a language would read."""
    return {name: value for name, value in os.environ.items() if not name.startswith(CLEARED)} | more


def version(*command: str) -> str:
    """The first line that a tool says of itself."""
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    return (said.stdout or said.stderr).splitlines()[0].strip()
