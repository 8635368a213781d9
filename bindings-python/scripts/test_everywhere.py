"""Runs the library's tests on every other CPython of this machine, with a pytest of its own below `.cache/python`: each
on one of them, dealt in turn, or all on all."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(HERE / "tests"))

from interpreters import CACHE, EVERY_RUNTIME, VERSIONS, interpreter  # noqa: E402 - it stands beside the tests

# What needs no client and no other tool: the clients' tests go over all interpreters themselves.
TESTS = ("test_library*.py", "test_vectors.py", "test_pytest_plugin.py")
PINNED = {"anyio", "freezegun", "pytest", "pytest-asyncio", "pytest-xdist", "time-machine", "trio"}


def tools(version: str, python: str) -> Path:
    """pytest for that Python, installed once."""
    target = CACHE / f"pytest-cp{version.replace('.', '')}"
    lines = (HERE / "requirements-dev.txt").read_text(encoding="utf-8").splitlines()
    wanted = [line for line in lines if line.partition("==")[0] in PINNED]
    installed = target / "installed.txt"
    if not installed.is_file() or installed.read_text(encoding="utf-8").splitlines() != wanted:
        shutil.rmtree(target, ignore_errors=True)
        # Run by that interpreter: what pytest needs differs between versions.
        pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--root-user-action=ignore"]
        subprocess.run([*pip, "--target", str(target), *wanted], check=True)
        installed.write_text("\n".join(wanted), encoding="utf-8")
    return target


def main() -> int:
    failed = []
    own = "%d.%d" % sys.version_info[:2]  # noqa: UP031 - a tuple fits it
    others = [(version, python) for version in VERSIONS if version != own and (python := interpreter(version))]
    for index, (version, python) in enumerate(others):
        print(f"the library on CPython {version}", flush=True)
        path = os.pathsep.join([str(tools(version, python)), str(HERE / "python"), str(HERE / "tests")])
        files = [str(path) for pattern in TESTS for path in sorted((HERE / "tests").glob(pattern))]
        # A share is too little to start workers for.
        how = ["-n", "auto"] if EVERY_RUNTIME else ["-n", "0", "--share", f"{index}/{len(others)}"]
        command = [python, "-m", "pytest", "-q", *how, *files]
        if subprocess.run(command, cwd=HERE, env={**os.environ, "PYTHONPATH": path}, check=False).returncode:
            failed.append(version)
    if failed:
        print(f"failed on CPython {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
