"""One version for everything, and metadata that is complete."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import project
import pytest

POM = "{http://maven.apache.org/POM/4.0.0}"


def test_every_file_that_states_the_version_states_the_same() -> None:
    assert project.wrong() == []
    assert re.fullmatch(r"\d+\.\d+\.\d+", project.version())


def test_it_is_set_everywhere_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = project.version()
    names = ["Cargo.toml", *(name for name, _, _ in project.STATED)]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(project.ROOT / name, tmp_path / name)
    monkeypatch.setattr(project, "ROOT", tmp_path)
    project.set_version("7.8.9")
    assert project.version() == "7.8.9"
    assert project.wrong() == []
    crates = re.findall(r'^faultlayer-.*version = "([^"]+)"', (tmp_path / "Cargo.toml").read_text(), re.MULTILINE)
    assert crates
    assert set(crates) == {"7.8.9"}
    # Nothing but Faultlayer's own version has changed, wherever others happen to have the same.
    project.set_version(before)
    assert [name for name in names if (tmp_path / name).read_text() != (Path(__file__).parents[2] / name).read_text()] == []


def test_every_crate_has_the_version_and_what_crates_io_asks_for() -> None:
    command = ["cargo", "metadata", "--format-version", "1", "--no-deps"]
    packages = json.loads(subprocess.run(command, cwd=project.ROOT, check=True, capture_output=True, text=True).stdout)[
        "packages"
    ]
    assert {package["version"] for package in packages} == {project.version()}
    public = [package for package in packages if package["publish"] is None]
    assert {"faultlayer-core", "faultlayer-cli"} <= {package["name"] for package in public}
    for package in public:
        for key in ("description", "license", "repository", "keywords", "categories"):
            assert package[key], f"{package['name']}: no {key}"
        inside = {other["name"] for other in public}
        for dependency in package["dependencies"]:
            if dependency["name"].startswith("faultlayer-"):
                assert dependency["name"] in inside, f"{package['name']}: {dependency['name']} is not published"
                assert dependency["req"] == f"^{project.version()}", (
                    f"{package['name']}: {dependency['name']} without its version"
                )


def test_the_poms_say_what_maven_central_asks_for() -> None:
    parent = ElementTree.parse(project.ROOT / "bindings-java" / "pom.xml").getroot()
    for path in (
        "name",
        "description",
        "url",
        "licenses/license/name",
        "licenses/license/url",
        "developers/developer/name",
        "scm/connection",
        "scm/url",
    ):
        found = parent.find("/".join(POM + part for part in path.split("/")))
        assert found is not None, path
        assert found.text, path
    library = ElementTree.parse(project.ROOT / "bindings-java" / "library" / "pom.xml").getroot()
    for path in ("name", "description"):
        assert library.findtext(POM + path)
