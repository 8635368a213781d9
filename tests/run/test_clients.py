"""Getting the runtime client of an interpreter that has none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from function import Function, outcomes


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing that an earlier run has installed; pip keeps what it has built of it."""
    folder = tmp_path / "cache"
    mine = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"), "pip")
    monkeypatch.setenv("PIP_CACHE_DIR", os.environ.get("PIP_CACHE_DIR", str(mine)))
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    # All of boto3's bytecode, of which nothing here reads much. pip takes this option by its falsehood.
    monkeypatch.setenv("PIP_NO_COMPILE", "0")
    return folder / "faultlayer"


def bare(folder: Path) -> Path:
    """An interpreter like this one, with neither pip nor ensurepip, as Debian's is without python3-venv."""
    library = Path(sysconfig.get_path("stdlib"))
    mine = folder / "lib" / library.name
    mine.mkdir(parents=True)
    (mine / "site-packages").mkdir()
    for module in library.iterdir():
        if module.name not in ("ensurepip", "site-packages"):
            (mine / module.name).symlink_to(module)
    for shared in library.parent.glob("libpython*"):
        (mine.parent / shared.name).symlink_to(shared)
    program = folder / "bin" / library.name
    program.parent.mkdir()
    shutil.copy(Path(sys.base_prefix, "bin", library.name), program)
    return program


def test_an_interpreter_without_pip_gets_its_client_by_venv_and_stays_as_it_is(
    function: Function, tmp_path: Path, cache: Path
) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "environment"], check=True)
    python = tmp_path / "environment" / "bin" / "python"
    function.code("def handler(event, context): return event")
    assert outcomes(function.run("--interpreter", str(python), "-n", "1")) == ["ok"]
    [client] = (cache / "clients").iterdir()
    assert (client / "awslambdaric").is_dir()
    assert subprocess.run([python, "-c", "import pip"], capture_output=True).returncode == 1


def test_an_interpreter_without_pip_and_venv_is_told_what_to_install(
    function: Function, tmp_path: Path, cache: Path
) -> None:
    python = bare(tmp_path / "bare")
    function.code("def handler(event, context): return event")
    done = subprocess.run(function.command("--interpreter", str(python)), capture_output=True, encoding="utf-8")
    assert done.returncode != 0
    assert f"`{python}` has neither pip nor venv with ensurepip" in done.stderr
    assert "apt install python3-venv" in done.stderr
    assert list((cache / "clients").iterdir()) == []


def test_what_pip_says_is_passed_on(function: Function, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    function.code("def handler(event, context): return event")
    done = subprocess.run(function.command("--interpreter", sys.executable), capture_output=True, encoding="utf-8")
    assert done.returncode != 0
    assert "-m pip install --quiet" in done.stderr
    assert "No matching distribution found for awslambdaric==4.2.2" in done.stderr
    assert list((cache / "clients").iterdir()) == []
