"""Writes wheels: of the library for Python, around the native module that its layer has, and of the command.

    python3 wheel.py library|command ARCH OUT [--command FILE]

The same inputs give the same bytes.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import sys
import zipfile
from pathlib import Path
from typing import Any

import project
import shared

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PYTHON = project.ROOT / "bindings-python"
EXECUTABLE = 0o100755
PLAIN = 0o100644


def library_wheel(arch: str, out: Path) -> Path:
    """`faultlayer`: one for all CPythons, by the stable ABI."""
    settings = tomllib.loads((PYTHON / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    package = PYTHON / "python" / "faultlayer"
    files = {
        f"faultlayer/{path.name}": path.read_bytes() for path in package.iterdir() if path.suffix in (".py", ".pyi", ".typed")
    }
    files["faultlayer/py.typed"] = (package / "py.typed").read_bytes()
    files["faultlayer/_native.abi3.so"] = project.library("python", arch).read_bytes()
    entries = "".join(
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in points.items())
        for group, points in settings["entry-points"].items()
    )
    more = {"entry_points.txt": entries.encode(), **shared.licences("faultlayer-python", arch, "licenses/")}
    tag = f"cp310-abi3-{_platform(arch, project.library('python', arch))}"
    return _write(out, settings, tag, files, more, (PYTHON / "README.md").read_text(encoding="utf-8"))


def command_wheel(arch: str, command: Path, out: Path, level: int = 9) -> Path:
    """`faultlayer-cli`: the command among the environment's scripts, what it comes with in its `share/faultlayer`. `level` is
    zlib's."""
    settings: dict[str, Any] = {
        "name": "faultlayer-cli",
        "description": project.COMMAND_SUMMARY,
        "requires-python": ">=3.10",
        "license": project.workspace()["license"],
        "keywords": ["aws", "lambda", "chaos", "fault-injection", "fis"],
        "classifiers": ["Environment :: Console", "Operating System :: POSIX :: Linux", "Programming Language :: Rust"],
    }
    base = f"faultlayer_cli-{project.version()}.data"
    files = {f"{base}/scripts/faultlayer": command.read_bytes()}
    files |= {f"{base}/data/share/faultlayer/{name}": content for name, content in shared.files(project.DIST).items()}
    readme = shared.readme("pip install faultlayer-cli")
    tag, more = f"py3-none-{_platform(arch, command)}", shared.licences("faultlayer-cli", arch, "licenses/")
    return _write(out, settings, tag, files, more, readme, level)


def _platform(arch: str, code: Path) -> str:
    """The oldest manylinux that has what the native code needs; 2.17 is the oldest that there still are builders for."""
    machine = project.MACHINE[arch]
    _, minor = max(shared.glibc(code, arch), (2, 17))
    return f"manylinux_2_{minor}_{machine}" + (f".manylinux2014_{machine}" if minor == 17 else "")


def metadata(settings: dict[str, Any], readme: str, licences: list[str]) -> str:
    """METADATA, version 2.4, of a `[project]` table."""
    lines = [
        "Metadata-Version: 2.4",
        f"Name: {settings['name']}",
        f"Version: {project.version()}",
        f"Summary: {settings['description']}",
        f"Keywords: {','.join(settings['keywords'])}",
        f"License-Expression: {settings['license']}",
        *(f"License-File: {name.removeprefix('licenses/')}" for name in licences),
        *(f"Classifier: {classifier}" for classifier in settings["classifiers"]),
        f"Requires-Python: {settings['requires-python']}",
        *(f"Project-URL: {name}, {url}" for name, url in shared.links().items()),
        "Description-Content-Type: text/markdown; variant=GFM",
    ]
    return "\n".join(lines) + "\n\n" + readme


def _write(
    out: Path, settings: dict[str, Any], tag: str, files: dict[str, bytes], more: dict[str, bytes], readme: str, level: int = 9
) -> Path:
    name = settings["name"].replace("-", "_")
    info = f"{name}-{project.version()}.dist-info"
    python, abi, platforms = tag.split("-")
    tags = "".join(f"Tag: {python}-{abi}-{platform}\n" for platform in platforms.split("."))
    licences = [name for name in more if name.startswith("licenses/")]
    entries = files | {f"{info}/{name}": content for name, content in more.items()}
    entries[f"{info}/METADATA"] = metadata(settings, readme, licences).encode()
    entries[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: faultlayer\nRoot-Is-Purelib: false\n{tags}".encode()
    record = "".join(f"{name},sha256={_digest(content)},{len(content)}\n" for name, content in sorted(entries.items()))
    entries[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    out.mkdir(parents=True, exist_ok=True)
    wheel = out / f"{name}-{project.version()}-{tag}.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (EXECUTABLE if "/scripts/" in name else PLAIN) << 16
            archive.writestr(entry, content, compresslevel=level)
    return wheel


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("library", "command"))
    parser.add_argument("arch", choices=project.ARCHES)
    parser.add_argument("out", type=Path)
    parser.add_argument("--command", type=Path)
    arguments = parser.parse_args()
    if arguments.what == "library":
        wheel = library_wheel(arguments.arch, arguments.out)
    else:
        wheel = command_wheel(arguments.arch, shared.command(arguments.arch, arguments.command), arguments.out)
    print(f"{wheel}: {wheel.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
