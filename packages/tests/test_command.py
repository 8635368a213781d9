"""The command as users get it, by pip, npm or an archive: without a checkout, from an empty folder."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tarfile
from collections.abc import Callable
from pathlib import Path

import project
import pytest
from conftest import ARCH, environment, pip, said
from readme import first_block


@pytest.fixture(scope="module")
def by_pip(command_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    programs = environment(tmp_path_factory.mktemp("pip") / "environment")
    pip(programs, command_wheel)
    return programs


@pytest.fixture(scope="module")
def by_npm(npm_packages: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("npm-command")
    (folder / "package.json").write_text('{"private": true}')
    said(["npm", "install", "--offline", "--no-audit", "--no-fund", *npm_packages], folder)
    return folder / "node_modules" / ".bin"


@pytest.fixture(scope="module")
def by_archive(command_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(command_archive) as archive:
        archive.extractall(folder, filter="data")
    return folder / f"faultlayer-{project.version()}-linux-{ARCH}" / "bin"


Use = Callable[..., str]


@pytest.fixture(params=["by_pip", "by_npm", "by_archive"])
def use(request: pytest.FixtureRequest, tmp_path: Path) -> Use:
    """Runs the installed command in an empty folder."""
    programs: Path = request.getfixturevalue(request.param)
    path = f"{programs}:{os.environ['PATH']}"
    return lambda *arguments: said([programs / "faultlayer", *arguments], tmp_path, PATH=path)


def test_it_names_its_version(use: Use) -> None:
    assert use("--version").split()[:2] == ["faultlayer", project.version()]


def test_it_writes_its_layers(use: Use, tmp_path: Path) -> None:
    written = use("layers", "--out", "layers").splitlines()
    assert f"layers/faultlayer-python-{ARCH}.zip" in written
    for line in (tmp_path / "layers" / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split()
        assert hashlib.sha256((tmp_path / "layers" / name).read_bytes()).hexdigest() == digest


def test_it_prints_its_stack_whose_files_are_there_wherever_it_is_kept(use: Use) -> None:
    resources = json.loads(use("stack"))["Resources"]
    places = [resource["Properties"].get("Content", resource["Properties"].get("Code")) for resource in resources.values()]
    paths = [Path(place) for place in places if isinstance(place, str) and place.startswith("/")]
    assert len(paths) >= 6
    assert [path for path in paths if not path.exists() or project.ROOT in path.parents] == []


def test_its_quick_start(by_archive: Path, tmp_path: Path) -> None:
    """The README's lines behind the installation."""
    script = first_block(project.ROOT / "packages" / "COMMAND.md", "sh").replace("INSTALL\n", "")
    shown = said(["bash", "-euc", script], tmp_path, PATH=f"{by_archive}:{os.environ['PATH']}")
    assert re.search(r"answers as healthy +\d+ of \d+", shown)
    assert "injected" in shown
