"""What Faultlayer is measured beside, from the registries into `.cache/bench`; what cannot be had is skipped."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from places import CACHE, HERE, ROOT, maven

# chaos-lambda asks for any ssm-cache, and cannot be imported with one of 3 or newer.
PYTHON = [
    "chaos-lambda==0.3",
    "ssm-cache<3",
    "failureflags==1.1.0",
    "boto3==1.44.8",
    "moto[server]==5.2.5",
    "matplotlib==3.11.2",
]
# It has no version of its own there.
EMULATOR = "github.com/aws/aws-lambda-runtime-interface-emulator/cmd/aws-lambda-rie@v0.0.0-20261030222936-bef5c4ba774d"
NODE = ["failure-lambda@0.4.4", "aws-sdk@2", "@aws-sdk/client-ssm@3"]


class Missing(Exception):
    """A peer that this machine cannot have; what it says is why."""


def run(*command: str, cwd: Path | None = None, environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise Missing(f"{' '.join(command[:3])} ended with {done.returncode}: {done.stderr.strip().splitlines()[-1:]}")


def tool(name: str) -> str:
    found = shutil.which(name)
    if not found:
        raise Missing(name)
    return found


def once(place: Path, wanted: list[str]) -> bool:
    """Whether `place` has to be filled with these."""
    ready = place / ".ready"
    return not ready.exists() or ready.read_text() != "\n".join(wanted)


@cache
def python() -> Path:
    """The Python of an environment with the peers, and with what draws the chart."""
    place = CACHE / "python"
    if once(place, PYTHON):
        run(sys.executable, "-m", "venv", str(place))
        run(str(place / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PYTHON)
        (place / ".ready").write_text("\n".join(PYTHON))
    return place / "bin" / "python"


@cache
def node() -> Path:
    """A folder with the peers' modules."""
    place = CACHE / "node"
    if once(place, NODE):
        place.mkdir(parents=True, exist_ok=True)
        (place / "package.json").write_text('{"private": true}\n')
        run(tool("npm"), "install", "--silent", "--no-audit", "--no-fund", *NODE, cwd=place)
        (place / ".ready").write_text("\n".join(NODE))
    return place


@cache
def byte_buddy() -> Path:
    """The agent that Byte Buddy builds, as AWS's sample for Java has it."""
    tool("mvn")
    jar = CACHE / "java" / "bytebuddy-agent.jar"
    if not jar.exists():
        maven("-f", str(HERE / "java/bytebuddy/pom.xml"), "package", f"-DbuildDirectory={CACHE / 'java/bytebuddy'}")
        shutil.copy(CACHE / "java/bytebuddy/bytebuddy-agent.jar", jar)
    return jar


@cache
def empty_agent() -> Path:
    """An agent that does nothing, which is the floor of what any can take."""
    tool("javac")
    place = CACHE / "java" / "empty"
    place.mkdir(parents=True, exist_ok=True)
    run("javac", "--release", "11", "-d", str(place), str(HERE / "java/empty/Agent.java"))
    (place / "manifest").write_text("Premain-Class: bench.empty.Agent\n")
    run(tool("jar"), "cfm", "agent.jar", "manifest", "bench", cwd=place)
    return place / "agent.jar"


@cache
def emulator() -> Path:
    """AWS's Runtime Interface Emulator."""
    place = CACHE / "emulator"
    if once(place, [EMULATOR]):
        run(tool("go"), "install", EMULATOR, environment={**os.environ, "GOBIN": str(place)})
        (place / ".ready").write_text(EMULATOR)
    return place / "aws-lambda-rie"


@cache
def event_ruler() -> str:
    """The class path of event-ruler and of the program that times it."""
    tool("javac")
    library = ROOT / ".cache" / "matching"
    if not list(library.glob("event-ruler-*.jar")):
        library.mkdir(parents=True, exist_ok=True)
        wanted = ["-DincludeScope=runtime", f"-DoutputDirectory={library}"]
        maven("-f", str(ROOT / "tests/matching/pom.xml"), "dependency:copy-dependencies", *wanted)
    classes = CACHE / "java" / "ruler"
    classes.mkdir(parents=True, exist_ok=True)
    run("javac", "-cp", f"{library}/*", "-d", str(classes), str(HERE / "java/ruler/Matches.java"))
    return f"{classes}:{library}/*"


@cache
def proxy() -> Path:
    """A Runtime API proxy as they are usually built, with the reverse proxy of Go's own library."""
    out = CACHE / "proxy"
    run(tool("go"), "build", "-o", str(out), ".", cwd=HERE / "peers/proxy")
    return out
