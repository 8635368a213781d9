"""What of the Python layer's zip is Python's; test_archives.py has what holds for all."""

from __future__ import annotations

import ast
import os
import platform
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ARCH = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
ZIP = Path(os.environ.get("FAULTLAYER_LAYER_ZIP", ROOT / "dist" / "layers" / f"faultlayer-python-{ARCH}.zip"))
NATIVE = "python/faultlayer_layer/_native.abi3.so"
# What the layer may cost on disk; it is about 0.9 MB.
MAX_UNZIPPED = 3_000_000


@pytest.fixture(scope="module")
def archive() -> zipfile.ZipFile:
    assert ZIP.is_file(), f"{ZIP} is missing: run `make layers-python`"
    return zipfile.ZipFile(ZIP)


def test_it_is_laid_out_as_lambda_unpacks_it(archive: zipfile.ZipFile) -> None:
    assert archive.namelist() == [
        "python/faultlayer_layer/THIRD-PARTY-NOTICES.txt",
        "python/faultlayer_layer/__init__.py",
        "python/faultlayer_layer/_fallback.py",
        NATIVE,
        "python/faultlayer_layer/_resolver.py",
    ]
    assert sum(entry.file_size for entry in archive.infolist()) < MAX_UNZIPPED
    # Readable by the user that Lambda runs functions as.
    assert all(entry.external_attr >> 16 & 0o444 == 0o444 for entry in archive.infolist())


def test_its_python_is_the_oldest_supported_one(archive: zipfile.ZipFile) -> None:
    for name in archive.namelist():
        if name.endswith(".py"):
            ast.parse(archive.read(name), name, feature_version=(3, 10))


def test_its_native_code_needs_no_interpreter_of_one_version(archive: zipfile.ZipFile) -> None:
    strings = archive.read(NATIVE)
    assert b"libpython" not in strings
    assert b"PyInit__native" in strings
