"""The packages of this machine's architecture, built once, and what a user has: an empty folder and no checkout."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import archive
import project
import pytest
import wheel

ARCH = {"x86_64": "x86_64", "aarch64": "arm64"}[platform.machine()]
# Of the command the build that every part's tests use; a release has its own, smaller one.
COMMAND = project.ROOT / "target" / "release" / "faultlayer"
# How small a package gets is a release's matter, and takes most of the time of packing the command.
LEVEL = 1


def said(command: Sequence[str | Path], folder: Path, **variables: str) -> str:
    """What a command prints, run where a user is: nothing of the checkout in its environment."""
    kept = {name: value for name, value in os.environ.items() if name in ("HOME", "PATH", "LANG", "TMPDIR", "XDG_CACHE_HOME")}
    kept |= {
        name: value
        for name, value in os.environ.items()
        if name.upper().startswith(("PIP_", "SSL_", "NODE_EXTRA", "HTTP", "NO_PROXY"))
    }
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=kept | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def environment(folder: Path) -> Path:
    """An empty Python environment's folder of programs."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    return folder / "bin"


def pip(programs: Path, *arguments: str | Path) -> None:
    """Installs into that environment, from nothing but what is named."""
    command = [sys.executable, "-m", "pip", "--python", programs / "python", "install", "--quiet", "--no-index", *arguments]
    subprocess.run(command, check=True)


@pytest.fixture(scope="session")
def library_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheel.library_wheel(ARCH, tmp_path_factory.mktemp("library"))


@pytest.fixture(scope="session")
def command_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheel.command_wheel(ARCH, COMMAND, tmp_path_factory.mktemp("command"), LEVEL)


@pytest.fixture(scope="session")
def command_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return archive.pack(ARCH, COMMAND, tmp_path_factory.mktemp("archive"), LEVEL)


@pytest.fixture(scope="session")
def npm_packages(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("npm")
    script = project.ROOT / "packages" / "scripts" / "npm.py"
    for arguments in (["main", folder], ["native", folder, ARCH], ["cli", folder, ARCH, "--command", COMMAND]):
        subprocess.run([sys.executable, str(script), *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)
    return sorted(folder.glob("*.tgz"))
