"""What all packages say of Faultlayer, from where it is written once: the workspace's `Cargo.toml`."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
DIST = ROOT / "dist"
ARCHES = ("x86_64", "arm64")
# Lambda's name for an architecture to npm's and Java's.
NPM_ARCH = {"x86_64": "x64", "arm64": "arm64"}
MACHINE = {"x86_64": "x86_64", "arm64": "aarch64"}
COMMAND_SUMMARY = "Injects faults into AWS Lambda functions whose code nobody touches: the command, with its layers and its stack"


def workspace() -> dict[str, Any]:
    """`[workspace.package]`."""
    read: dict[str, Any] = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))["workspace"]["package"]
    return read


def version() -> str:
    """The one version of everything."""
    return str(workspace()["version"])


# Where the version stands beside Cargo.toml: file, pattern with the version in the middle, how often it must be found.
STATED = [
    ("bindings-node/package.json", r'(^  "version": ")(.+)(",$)', 1),
    # The package's own version stands before those of others: at the top, and as the first of the packages.
    ("bindings-node/package-lock.json", r'(^(?:  |      )"name": "faultlayer",\n +"version": ")(.+)(",$)', 2),
    ("examples/java-dynamodb/pom.xml", r"(<faultlayer.version>)(.+)(</faultlayer.version>)", 1),
    ("bindings-java/pom.xml", r"(<artifactId>faultlayer-parent</artifactId>\s*<version>)(.+)(</version>)", 1),
    *(
        (f"bindings-java/{module}/pom.xml", r"(<artifactId>faultlayer-parent</artifactId>\s*<version>)(.+)(</version>)", 1)
        for module in ("runtime", "agent", "library", "it", "calls")
    ),
    ("bindings-java/README.md", r"(<artifactId>faultlayer</artifactId>\s*<version>)(.+)(</version>)", 2),
]


def stated() -> dict[str, list[str]]:
    """Each file that states the version, and what it states."""
    return {name: [found[1] for found in re.findall(pattern, _text(name), re.MULTILINE)] for name, pattern, _ in STATED}


def wrong() -> list[str]:
    """The files that do not state the one version as often as they must."""
    counts = {name: count for name, _, count in STATED}
    return [
        f"{name}: expected `{version()}` {counts[name]} times, found `{', '.join(found)}`"
        for name, found in stated().items()
        if found != [version()] * counts[name]
    ]


def set_version(new: str) -> None:
    """States a version everywhere."""
    manifest = ROOT / "Cargo.toml"
    text = manifest.read_text(encoding="utf-8")
    old = version()
    text = text.replace(f'[workspace.package]\nversion = "{old}"', f'[workspace.package]\nversion = "{new}"', 1)
    # The crates that depend on each other say so with a version, for crates.io.
    manifest.write_text(re.sub(r'(^faultlayer-.*version = ")[^"]+', rf"\g<1>{new}", text, flags=re.MULTILINE), encoding="utf-8")
    for name, pattern, _ in STATED:
        (ROOT / name).write_text(re.sub(pattern, rf"\g<1>{new}\g<3>", _text(name), flags=re.MULTILINE), encoding="utf-8")


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def node_package() -> dict[str, Any]:
    """`bindings-node/package.json`."""
    read: dict[str, Any] = json.loads(_text("bindings-node/package.json"))
    return read


def library(language: str, arch: str) -> Path:
    """The native library of a language, linked as its layer's, which for Python leaves out what only tests use."""
    return built(ROOT / "target" / "layers" / arch / f"libfaultlayer_{language}.so", f"make layers, for {arch}")


def built(path: Path, recipe: str) -> Path:
    """A file that must have been built."""
    if not path.is_file():
        raise SystemExit(f"{path.relative_to(ROOT)}: is not there, `{recipe}` builds it")
    return path


if __name__ == "__main__":
    if sys.argv[1:2] == ["set"] and len(sys.argv) == 3:
        set_version(sys.argv[2])
    elif sys.argv[1:] == []:
        print(version())
    else:
        raise SystemExit("usage: project.py [set VERSION]")
    if problems := wrong():
        raise SystemExit("\n".join(problems))
