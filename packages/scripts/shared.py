"""What more than one kind of package has: the licences, what comes with the command, the command's README."""

from __future__ import annotations

import sys
from pathlib import Path

import project

sys.path.insert(0, str(project.ROOT / "tools"))

import elf
import third_party


def links() -> dict[str, str]:
    """Where Faultlayer is at home."""
    repository = str(project.workspace()["repository"])
    return {
        "Homepage": repository,
        "Documentation": f"{repository}/tree/main/docs",
        "Source": repository,
        "Issues": f"{repository}/issues",
        "Changelog": f"{repository}/blob/main/CHANGELOG.md",
    }


def licences(crate: str, arch: str, folder: str = "") -> dict[str, bytes]:
    """Our licence, and what is inside by others, with theirs."""
    notices = third_party.notices(third_party.of_crate(crate, arch))
    licence = (project.ROOT / "LICENSE").read_bytes()
    return {f"{folder}LICENSE": licence, f"{folder}THIRD-PARTY-NOTICES.txt": notices.encode()}


def files(dist: Path) -> dict[str, bytes]:
    """What comes with the command, as it looks for it in its `share/faultlayer`: layers, documents, stack, samples."""
    stack = project.built(dist / "stack.json", "make stack")
    folders = {"layers": dist / "layers", "samples": dist / "samples"}
    found = {"stack.json": stack.read_bytes()}
    for name, folder in folders.items():
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not path.name.endswith(".partial"):
                found[f"{name}/{path.relative_to(folder)}"] = path.read_bytes()
    for path in sorted((project.ROOT / "ssm-documents").glob("Faultlayer-*.json")):
        found[f"documents/{path.name}"] = path.read_bytes()
    return found


def command(arch: str, given: Path | None) -> Path:
    """The command to pack: the given one, else the one that `tools/command` built."""
    return given or project.built(project.ROOT / "target" / "commands" / arch / "faultlayer", "tools/command")


def glibc(code: Path, arch: str) -> tuple[int, ...]:
    """The GLIBC that native code for an architecture needs."""
    found = elf.read(code.read_bytes())
    if found.machine != arch:
        raise SystemExit(f"{code}: expected native code for {arch}, this is for `{found.machine}`")
    return found.glibc[:2]


def readme(install: str) -> str:
    """The README of a package of the command."""
    text = (project.ROOT / "packages" / "COMMAND.md").read_text(encoding="utf-8")
    return text.replace("INSTALL", install)
