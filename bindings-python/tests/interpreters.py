"""Which CPythons this machine has, and awslambdaric for each. `make test-python` installs the clients below
`.cache/python`; the tests take what is there and name what is not. Which of them a test runs on is dealt here."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "python"
VERSIONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
NEWEST_CLIENT = "4.2.2"
# Releases with another resolver or another way to report: before 3.0 init errors came at the first invocation.
OLDER_CLIENTS = ("2.2.1", "3.0.2", "3.1.1")
# Whether each test runs on all of them; otherwise on a choice, dealt in turn.
EVERY_RUNTIME = bool(os.environ.get("FAULTLAYER_EVERY_RUNTIME"))

T = TypeVar("T")


def in_turn(position: int, rows: Sequence[T]) -> T:
    """The row for the test at that position. One further each round, so that cases that alternate meet all of them."""
    return rows[(position + position // len(rows)) % len(rows)]


def dealt(position: int, rows: Sequence[T]) -> list[T]:
    """Of rows from the oldest to the newest those for the test at that position: one of both ends, and one between."""
    if len(rows) < 3:
        return list(rows)
    return [in_turn(position, (rows[0], rows[-1])), in_turn(position, rows[1:-1])]


@functools.cache
def interpreter(version: str) -> str | None:
    """The path of a CPython of that minor version, or None."""
    names = [shutil.which(f"python{version}")]
    names += sorted(map(str, Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}")))
    names += sorted(map(str, CACHE.glob(f"cpython-{version}*/bin/python{version}")))
    for name in filter(None, names):
        told = subprocess.run(
            [name, "-c", "import sys; print(sys.implementation.name, '%d.%d' % sys.version_info[:2], sys.executable)"],
            capture_output=True,
            text=True,
            check=False,
        ).stdout.split()
        if told[:2] == ["cpython", version]:
            return told[2]
    return None


def client(version: str, release: str = NEWEST_CLIENT) -> Path:
    """Where awslambdaric of that release for that Python is, whether it is there or not."""
    return CACHE / f"awslambdaric-{release}-cp{version.replace('.', '')}"
