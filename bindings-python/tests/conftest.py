"""What the tests share: the layer as Lambda would unpack it, and every CPython with a client."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from interpreters import NEWEST_CLIENT, OLDER_CLIENTS, ROOT, VERSIONS, client, interpreter
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


def named(rows: list[tuple[str, str]]) -> list[Any]:
    return [pytest.param(row, id=f"py{row[0]}-ric{row[1]}") for row in rows]


def _start(row: tuple[str, str], layer: Path, code: Path) -> Lambda:
    version, release = row
    if not interpreter(version):
        pytest.skip(f"this machine has no CPython {version}")
    if not client(version, release).is_dir():
        pytest.skip(f"awslambdaric {release} for CPython {version} is not installed")
    return Lambda(version, release, layer, code)


@pytest.fixture(params=named(NEWEST))
def function(request: pytest.FixtureRequest, layer: Path, tmp_path: Path) -> Lambda:
    """A function with an empty code folder, on every CPython with the newest client."""
    return _start(request.param, layer, tmp_path)


@pytest.fixture(params=named(NEWEST + OLDER))
def function_of_any_client(request: pytest.FixtureRequest, layer: Path, tmp_path: Path) -> Lambda:
    """The same, and on one CPython with the older clients, which resolve and report differently."""
    return _start(request.param, layer, tmp_path)


@pytest.fixture
def one_function(layer: Path, tmp_path: Path) -> Lambda:
    """The same, on one CPython: for what does not depend on it."""
    version = next(version for version in ("3.12", "3.13", "3.11", "3.10") if interpreter(version))
    return _start((version, NEWEST_CLIENT), layer, tmp_path)
