"""The Python layer's zip as it is handed to Lambda: what is in it, what its native code needs, and that it is the same
each time it is packed."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKER = ROOT / "bindings-python" / "scripts" / "pack_layer.py"
sys.path.insert(0, str(ROOT / "tools"))

from layer_archive import MAX_GLIBC, glibc_needed  # noqa: E402 - the tools are no package

ZIP = Path(os.environ.get("FAULTLAYER_LAYER_ZIP", ROOT / "dist" / "layers" / "faultlayer-python-x86_64.zip"))
NATIVE = "python/faultlayer_layer/_native.abi3.so"
# What the layer may cost on disk; it is about 0.9 MB.
MAX_UNZIPPED = 3_000_000


@pytest.fixture(scope="module")
def archive() -> zipfile.ZipFile:
    assert ZIP.is_file(), f"{ZIP} is missing: run `make layers-python`"
    return zipfile.ZipFile(ZIP)


@pytest.fixture(scope="module")
def native(archive: zipfile.ZipFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(archive.extract(NATIVE, tmp_path_factory.mktemp("native")))


def pack(library: Path, out: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PACKER), str(library), str(out)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_it_is_laid_out_as_lambda_unpacks_it(archive: zipfile.ZipFile) -> None:
    assert archive.namelist() == [
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


def test_its_native_code_needs_no_newer_glibc_than_amazon_linux_2_has(native: Path) -> None:
    needed = glibc_needed(native.read_bytes())
    assert (2, 0) < needed <= MAX_GLIBC


def test_its_native_code_needs_no_interpreter_of_one_version(native: Path) -> None:
    strings = native.read_bytes()
    assert b"libpython" not in strings
    assert b"PyInit__native" in strings


def test_it_is_the_same_each_time(archive: zipfile.ZipFile, native: Path, tmp_path: Path) -> None:
    for name in ("one.zip", "two.zip"):
        assert pack(native, tmp_path / name).returncode == 0
        os.utime(native, (1, 1))
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    assert (tmp_path / "one.zip").read_bytes() == ZIP.read_bytes()


def test_a_library_that_needs_a_newer_glibc_is_refused(tmp_path: Path) -> None:
    library = tmp_path / "library.so"
    library.write_bytes(b"\x7fELF\0GLIBC_2.9\0GLIBC_2.27\0GLIBC_2.2.5\0")
    refused = pack(library, tmp_path / "out.zip")
    assert refused.returncode == 1
    assert "expected at most GLIBC 2.26, needs `2.27`" in refused.stderr
    assert not (tmp_path / "out.zip").exists()
