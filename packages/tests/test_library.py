"""The libraries, installed into an empty environment and used there: the quick starts of their READMEs, word for word."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import project
from conftest import ARCH, environment, pip, said
from readme import first_block
from wheel import library_wheel as pack_wheel


def test_the_wheel_is_for_every_cpython_and_every_linux_since_glibc_2_17(library_wheel: Path) -> None:
    name = library_wheel.name
    assert name.startswith(f"faultlayer-{project.version()}-cp310-abi3-manylinux_2_17_")
    shown = subprocess.run(
        [Path(sys.executable).with_name("auditwheel"), "show", library_wheel], check=True, capture_output=True, text=True
    ).stdout
    machine = project.MACHINE[ARCH]
    assert f"manylinux_2_17_{machine}" in shown
    assert "require external" not in shown
    assert "abi3" in shown


def test_the_wheel_s_metadata_is_complete_and_accepted(library_wheel: Path, command_wheel: Path) -> None:
    twine = [sys.executable, "-m", "twine", "check", "--strict", str(library_wheel), str(command_wheel)]
    assert subprocess.run(twine, check=True, capture_output=True, text=True).stdout.count("PASSED") == 2
    for path in (library_wheel, command_wheel):
        with zipfile.ZipFile(path) as archive:
            [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
            metadata = Parser().parsestr(archive.read(name).decode())
            for licence in metadata.get_all("License-File", []):
                assert archive.read(name.replace("METADATA", f"licenses/{licence}"))
        assert metadata["Version"] == project.version()
        assert metadata["License-Expression"] == "Apache-2.0"
        for field in ("Summary", "Keywords", "Requires-Python", "Classifier", "Project-URL"):
            assert metadata[field], f"{path.name}: no {field}"
        assert "License ::" not in str(metadata.get_all("Classifier"))


def test_the_same_inputs_give_the_same_wheel(library_wheel: Path, tmp_path: Path) -> None:
    assert pack_wheel(ARCH, tmp_path).read_bytes() == library_wheel.read_bytes()


def test_python_s_quick_start(library_wheel: Path, tmp_path: Path) -> None:
    programs = environment(tmp_path / "environment")
    pip(programs, library_wheel)
    code = first_block(project.ROOT / "bindings-python" / "README.md", "python")
    work = tmp_path / "work"
    work.mkdir()
    (work / "quick.py").write_text(code)
    assert said([programs / "python", "quick.py"], work) == "down ['error']\n"
    where = said([programs / "python", "-c", "import faultlayer; print(faultlayer.__file__, faultlayer.__version__)"], work)
    assert where.startswith(str(tmp_path))
    assert where.strip().endswith(project.version())


def test_node_s_quick_start(npm_packages: list[Path], tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"private": true}')
    said(["npm", "install", "--offline", "--no-audit", "--no-fund", *npm_packages], tmp_path)
    code = first_block(project.ROOT / "bindings-node" / "README.md", "js")
    (tmp_path / "quick.mjs").write_text(code)
    assert said(["node", "quick.mjs"], tmp_path) == "down [ 'error' ]\n"
    assert not (tmp_path / "node_modules" / "faultlayer" / "native").exists()


def test_without_its_platform_s_package_node_says_what_is_missing(npm_packages: list[Path], tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"private": true}')
    [main] = [path for path in npm_packages if path.name == f"faultlayer-{project.version()}.tgz"]
    said(["npm", "install", "--offline", "--omit=optional", "--no-audit", "--no-fund", main], tmp_path)
    code = "try { require('faultlayer').wrap(() => 1, {}) } catch (error) { console.log(error.message) }"
    platform = f"linux-{project.NPM_ARCH[ARCH]}"
    assert said(["node", "-e", code], tmp_path) == (
        f"the engine cannot be loaded (@faultlayer/native-{platform} is not installed, an optional dependency of this package)\n"
    )
