"""What the tests share: the layer as Lambda would unpack it, and every CPython with a client."""

from __future__ import annotations

import itertools
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from interpreters import (
    EVERY_RUNTIME,
    NEWEST_CLIENT,
    OLDER_CLIENTS,
    ROOT,
    VERSIONS,
    client,
    dealt,
    in_turn,
    interpreter,
)
from runtime_api import Environment

pytest_plugins = ["pytester"]

LAYER_ZIP = Path(os.environ.get("FAULTLAYER_LAYER_ZIP", ROOT / "dist" / "layers" / "faultlayer-python-x86_64.zip"))


@pytest.fixture(scope="session")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The layer's zip, unpacked: what Lambda puts under /opt."""
    assert LAYER_ZIP.is_file(), f"{LAYER_ZIP} is missing: run `make layers-python`"
    opt = tmp_path_factory.mktemp("opt")
    with zipfile.ZipFile(LAYER_ZIP) as archive:
        archive.extractall(opt)
    return opt


class Lambda:
    """Starts environments of one CPython and one release of the client, with the layer or without."""

    def __init__(self, version: str, release: str, layer: Path, code: Path) -> None:
        self.version, self.release, self.layer, self.code = version, release, layer, code
        self.python = interpreter(version)

    def write(self, name: str, text: str) -> None:
        path = self.code / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    @contextmanager
    def start(self, handler: str = "app.handler", *, layered: bool = True, **options: Any) -> Iterator[Environment]:
        assert self.python
        with Environment(
            self.python,
            [client(self.version, self.release)],
            self.code,
            handler,
            layer=self.layer if layered else None,
            **options,
        ) as environment:
            yield environment


NEWEST = [(version, NEWEST_CLIENT) for version in VERSIONS]
OLDER = [("3.12", release) for release in OLDER_CLIENTS]


def _id(row: tuple[str, str]) -> str:
    return f"py{row[0]}-ric{row[1]}"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--share", metavar="INDEX/COUNT", help="of each file the tests of that share, dealt in turn")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what was not dealt: the other shares, and of a test on many CPythons the others."""
    left_out = set() if EVERY_RUNTIME else _others(items)
    if share := config.getoption("--share"):
        left_out |= _other_shares(items, *map(int, share.split("/")))
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]


def _other_shares(items: list[pytest.Item], index: int, count: int) -> set[pytest.Item]:
    positions = {path: itertools.count() for path in {item.path for item in items}}
    return {item for item in items if in_turn(next(positions[item.path]), range(count)) != index}


def _others(items: list[pytest.Item]) -> set[pytest.Item]:
    tests: dict[tuple[Path, str], dict[tuple[str, str], pytest.Item]] = {}
    for item in items:
        # What is missing here stays, and is skipped by its name.
        if (row := _row(item)) and interpreter(row[0]) and client(*row).is_dir():
            tests.setdefault((item.path, item.name.replace(_id(row), "")), {})[row] = item
    positions = {path: itertools.count() for path, _ in tests}
    others = set()
    for (path, _), of_rows in tests.items():
        chosen = dealt(next(positions[path]), sorted(of_rows))
        others |= {item for row, item in of_rows.items() if row not in chosen}
    return others


def _row(item: pytest.Item) -> tuple[str, str] | None:
    """Which CPython it runs on with which client, of a test that runs on several."""
    params = item.callspec.params.values() if isinstance(item, pytest.Function) and hasattr(item, "callspec") else ()
    return next((row for row in NEWEST + OLDER if row in params), None)


def _start(row: tuple[str, str], layer: Path, code: Path) -> Lambda:
    version, release = row
    if not interpreter(version):
        pytest.skip(f"this machine has no CPython {version}")
    if not client(version, release).is_dir():
        pytest.skip(f"awslambdaric {release} for CPython {version} is not installed")
    return Lambda(version, release, layer, code)


@pytest.fixture(params=NEWEST, ids=_id)
def function(request: pytest.FixtureRequest, layer: Path, tmp_path: Path) -> Lambda:
    """A function with an empty code folder, on every CPython with the newest client, or those that are dealt."""
    return _start(request.param, layer, tmp_path)


@pytest.fixture(params=NEWEST + OLDER, ids=_id)
def function_of_any_client(request: pytest.FixtureRequest, layer: Path, tmp_path: Path) -> Lambda:
    """The same, and on one CPython with the older clients, which resolve and report differently."""
    return _start(request.param, layer, tmp_path)


@pytest.fixture
def one_function(layer: Path, tmp_path: Path) -> Lambda:
    """The same, on one CPython: for what does not depend on it."""
    version = next(version for version in ("3.12", "3.13", "3.11", "3.10") if interpreter(version))
    return _start((version, NEWEST_CLIENT), layer, tmp_path)
