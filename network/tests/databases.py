"""Real servers of this machine, each in a process of its own; skipped by name where one is not installed."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def served(command: list[str], port: int) -> Iterator[int]:
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            while process.poll() is None:
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                except OSError:
                    time.sleep(0.05)
            assert process.poll() is None, f"{command[0]} ended"
            yield port
        finally:
            process.terminate()


def installed(name: str, *folders: str) -> str:
    for folder in ("", *folders):
        found = shutil.which(name, path=folder or None)
        if found:
            return found
    pytest.skip(f"{name} is not installed")


@contextmanager
def postgres() -> Iterator[int]:
    """Its port; whoever says to be `tests` is let in, to the database `postgres`."""
    folders = [str(path) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    initdb, server = installed("initdb", *folders), installed("postgres", *folders)
    # It does not run as root, and must reach its folder as whoever it runs as.
    is_root = getpass.getuser() == "root"
    prefix = [installed("setpriv"), "--reuid=nobody", "--regid=nogroup", "--clear-groups"] if is_root else []
    with tempfile.TemporaryDirectory(prefix="faultlayer-postgres-") as data:
        if is_root:
            shutil.chown(data, "nobody", "nogroup")
        made = [*prefix, initdb, "-D", data, "-U", "tests", "--auth=trust", "--no-sync"]
        subprocess.run(made, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port = free_port()
        with served([*prefix, server, "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", "", "-F"], port):
            yield port
