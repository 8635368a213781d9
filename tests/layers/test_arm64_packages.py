"""The packages for arm64 Linux, in an arm64 Python, Node and Java under qemu: what their READMEs begin with.

`make test-arm64` packs them around the native code of the arm64 layers; the jars it takes from what `make release-java` has built.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from test_arm64 import CACHE, ROOT, emulate, java_program, node_program, run

sys.path += [str(ROOT / "packages" / "scripts"), str(ROOT / "packages" / "tests")]

import project
import wheel
from readme import first_block

__all__ = ["emulate"]


def native(language: str) -> None:
    if not project.library(language, "arm64").is_file():
        pytest.skip(f"no native code of {language} for arm64: `make layers-arm64` says why")


def test_the_wheel(emulate: list[str | Path], tmp_path: Path) -> None:
    native("python")
    packed = wheel.library_wheel("arm64", tmp_path)
    assert packed.name.endswith("-cp310-abi3-manylinux_2_17_aarch64.manylinux2014_aarch64.whl")
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(tmp_path / "site")
    (tmp_path / "quick.py").write_text(first_block(ROOT / "bindings-python" / "README.md", "python"))
    python = CACHE / "root" / "usr" / "bin" / "python3.11"
    assert run([*emulate, python, "quick.py"], cwd=tmp_path, env={"PYTHONPATH": str(tmp_path / "site")}) == "down ['error']\n"


def test_the_npm_packages(emulate: list[str | Path], tmp_path: Path) -> None:
    native("node")
    node = node_program(CACHE, "arm64", "24")
    script = ROOT / "packages" / "scripts" / "npm.py"
    for arguments in (["main", "."], ["native", ".", "arm64"]):
        run([sys.executable, script, *arguments], cwd=tmp_path)
    for name, place in (("faultlayer", "faultlayer"), ("faultlayer-native-linux-arm64", "@faultlayer/native-linux-arm64")):
        with tarfile.open(tmp_path / f"{name}-{project.version()}.tgz") as archive:
            archive.extractall(tmp_path / "unpacked")
        (tmp_path / "node_modules" / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "unpacked" / "package").rename(tmp_path / "node_modules" / place)
    (tmp_path / "quick.mjs").write_text(first_block(ROOT / "bindings-node" / "README.md", "js"))
    assert run([*emulate, node, "quick.mjs"], cwd=tmp_path) == "down [ 'error' ]\n"


def test_the_jars(emulate: list[str | Path], tmp_path: Path) -> None:
    shelf = ROOT / "dist" / "release" / "maven"
    if not list(shelf.glob("**/*-linux-aarch64.jar")):
        pytest.skip("no jar for arm64: `make release-java` builds it")
    java = [*emulate, java_program(CACHE, "aarch64", "21"), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
    script = ROOT / "bindings-java" / "scripts" / "try_install.py"
    command = [sys.executable, script, "--machine=aarch64", f"--java={shlex.join(map(str, java))}", shelf]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    # Maven writes escape codes before it.
    assert done.stdout.endswith("1 passed, 0 failed\n"), done.stdout + done.stderr
