"""Builds aws-lambda-ric, Lambda's runtime client for Node, with nothing that a registry does not have.

    python3 node_client.py VERSION CLIENTS NODE

Makes CLIENTS/aws-lambda-ric-VERSION with the npm that belongs to NODE, an executable. One build serves every Node (it
uses Node-API) and both generations: their native part is the same source (over AWS's library in C++, of which the
fourth has a newer release: a connection for each thread), and only the fourth's package carries a `configure` that
needs no autotools. Of the tools that npm's build runs, cmake, xz and a C++ compiler come from PyPI
where they are missing. Exit status 1 with what is missing and how to get it, or the end of what npm said.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

# The generation whose native part is built.
NATIVE = "4.0.2"
# From PyPI, by what they stand in for.
PACKAGES = {"cmake": "cmake==4.1.2", "g++": "ziglang==0.15.1"}
DEBIAN = {"cc": "gcc", "make": "make", "tar": "tar", "npm": "npm"}


class Trouble(Exception):
    """Why there will be no client."""


def addon(version: str) -> str:
    """The native part's place in a package."""
    return "rapid-client.node" if version == NATIVE else "dist/rapid-client.node"


def package(clients: Path, version: str) -> Path:
    return clients / f"aws-lambda-ric-{version}" / "node_modules" / "aws-lambda-ric"


def build(version: str, clients: Path, node: Path) -> None:
    """The client of a version in its place, whole, or Trouble."""
    if (package(clients, version) / addon(version)).is_file():
        return
    native = None
    if version != NATIVE:
        build(NATIVE, clients, node)
        native = package(clients, NATIVE) / addon(NATIVE)
    environment = dict(os.environ, PATH=f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}")
    npm = shutil.which("npm", path=environment["PATH"])
    missing = [tool for tool in DEBIAN if not (npm if tool == "npm" else shutil.which(tool))]
    if missing:
        packages = " ".join(DEBIAN[tool] for tool in missing)
        raise Trouble(f"missing: {', '.join(missing)}. On Debian: apt install {packages}")
    if native is None:
        print(
            f"faultlayer: builds Lambda's runtime client for Node (aws-lambda-ric {NATIVE}); once, for a minute",
            file=sys.stderr,
        )
        lend_tools(clients.parent / "build-tools", environment)
    # Beside its place, and moved there: a run that is cut off, or one at the same time, leaves nothing half done.
    half = clients / f".aws-lambda-ric-{version}-{os.getpid()}"
    try:
        half.mkdir(parents=True)
        (half / "package.json").write_text('{"private":true}\n')
        install(half, version, node, str(npm), environment, scripts=native is None)
        if native is not None:
            shutil.copy2(native, half / "node_modules" / "aws-lambda-ric" / addon(version))
        try:
            half.rename(clients / f"aws-lambda-ric-{version}")
        except OSError:
            if not (package(clients, version) / addon(version)).is_file():
                raise
    finally:
        shutil.rmtree(half, ignore_errors=True)


def install(
    folder: Path,
    version: str,
    node: Path,
    npm: str,
    environment: dict[str, str],
    *,
    scripts: bool,
) -> None:
    command = [npm, "install", "--silent", "--no-audit", "--no-fund"]
    command.append("--foreground-scripts" if scripts else "--ignore-scripts")
    headers = node.resolve().parent.parent
    if (headers / "include" / "node" / "node_api.h").is_file():
        # Otherwise they would be downloaded.
        command.append(f"--nodedir={headers}")
    command.append(f"aws-lambda-ric@{version}")
    done = subprocess.run(
        command,
        check=False,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        errors="replace",
    )
    if done.returncode:
        said = [line for line in (done.stdout + done.stderr).splitlines() if "LIBARCHIVE.xattr" not in line]
        raise Trouble("\n".join([f"`npm install aws-lambda-ric@{version}` said:", *said[-15:]]))


def lend_tools(folder: Path, environment: dict[str, str]) -> None:
    """Puts what this machine lacks on the build's path."""
    wanted = {tool: requirement for tool, requirement in PACKAGES.items() if not shutil.which(tool)}
    lent = folder / "bin"
    if wanted:
        if not (lent / "python").exists():
            if not importlib.util.find_spec("ensurepip"):
                raise Trouble(f"missing: {', '.join(wanted)}, or venv to get them. On Debian: apt install python3-venv")
            venv.create(folder, with_pip=True)
        pip = [
            str(lent / "python"),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]
        done = subprocess.run([*pip, *wanted.values()], check=False, capture_output=True, text=True)
        if done.returncode:
            raise Trouble(f"missing: {', '.join(wanted)}; pip cannot get them either: {done.stderr.strip()[-300:]}")
    if "g++" in wanted:
        # For what is C++ alone: the C compiler, which Rust needs too, is there, and much faster than this one to start.
        script(lent / "zig-c++", f'exec "{lent}/python" -m ziglang c++ "$@"')
        environment["CXX"] = "zig-c++"
    if not shutil.which("xz"):
        lent.mkdir(parents=True, exist_ok=True)
        unpack = "import lzma, shutil, sys; shutil.copyfileobj(lzma.open(sys.stdin.buffer), sys.stdout.buffer)"
        # As tar calls it to unpack.
        script(lent / "xz", f'exec "{sys.executable}" -c "{unpack}"')
    environment["PATH"] = f"{environment['PATH']}{os.pathsep}{lent}"


def script(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


if __name__ == "__main__":
    try:
        build(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
    except Trouble as trouble:
        # What is going on is said on standard error, why there is no client on standard output, to whoever called.
        print(trouble)
        sys.exit(1)
