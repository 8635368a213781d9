"""Lays out the npm packages and packs them: `faultlayer` (the library and the launcher of the command), and for each platform
`@faultlayer/native-…` (the library's addon) and `@faultlayer/cli-…` (the command with what it comes with), which
`faultlayer` names as optional dependencies.

    python3 npm.py main|native|cli OUT [ARCH] [--command FILE]
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import project
import shared

NODE = project.ROOT / "bindings-node"


def main_package(folder: Path) -> None:
    """The package that a user names, as a checkout has it, without an addon of its own."""
    manifest = {key: value for key, value in project.node_package().items() if key not in ("devDependencies", "private")}
    patterns: list[str] = manifest["files"]
    manifest["files"] = [pattern for pattern in patterns if pattern != "native"]
    names = [f"@faultlayer/{kind}-linux-{arch}" for kind in ("native", "cli") for arch in project.NPM_ARCH.values()]
    manifest["optionalDependencies"] = dict.fromkeys(names, project.version())
    for pattern in manifest["files"]:
        for path in sorted(NODE.glob(pattern)):
            target = folder / path.relative_to(NODE)
            target.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                shutil.copytree(path, target)
            else:
                shutil.copy(path, target)
    shutil.copy(NODE / "README.md", folder)
    shutil.copy(project.ROOT / "LICENSE", folder)
    _manifest(folder, manifest)


def platform_package(kind: str, arch: str, folder: Path, command: Path | None) -> None:
    """A package for one platform, which npm installs there alone."""
    platform = f"linux-{project.NPM_ARCH[arch]}"
    what = "The engine of faultlayer" if kind == "native" else project.COMMAND_SUMMARY
    main = {key: project.node_package()[key] for key in ("license", "repository", "homepage", "bugs", "engines")}
    manifest = {
        "name": f"@faultlayer/{kind}-{platform}",
        "version": project.version(),
        "description": f"{what}, for Linux on {arch}",
        **main,
        "os": ["linux"],
        "cpu": [project.NPM_ARCH[arch]],
        "libc": ["glibc"],
        "preferUnplugged": True,
    }
    readme = (
        f"# {manifest['name']}\n\n{manifest['description']}. Comes with the package `faultlayer`, which says how to use it.\n"
    )
    (folder / "README.md").write_text(readme, encoding="utf-8")
    if kind == "native":
        manifest["main"] = "faultlayer.node"
        shutil.copy(project.library("node", arch), folder / "faultlayer.node")
    else:
        (folder / "bin").mkdir()
        shutil.copy(shared.command(arch, command), folder / "bin" / "faultlayer")
        (folder / "bin" / "faultlayer").chmod(0o755)
        _write(folder / "share" / "faultlayer", shared.files(project.DIST))
    _write(folder, shared.licences("faultlayer-node" if kind == "native" else "faultlayer-cli", arch))
    _manifest(folder, manifest)


def _write(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def _manifest(folder: Path, manifest: dict[str, Any]) -> None:
    (folder / "package.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("main", "native", "cli"))
    parser.add_argument("out", type=Path)
    parser.add_argument("arch", nargs="?", choices=project.ARCHES)
    parser.add_argument("--command", type=Path)
    arguments = parser.parse_args()
    out: Path = arguments.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        if arguments.kind == "main":
            main_package(folder)
        elif arguments.arch:
            platform_package(arguments.kind, arguments.arch, folder, arguments.command)
        else:
            parser.error("a package for a platform wants its architecture")
        pack = ["npm", "pack", "--json", "--pack-destination", str(out)]
        said = subprocess.run(pack, cwd=folder, check=True, capture_output=True, text=True).stdout
    [packed] = json.loads(said)
    # npm's own answer names scoped packages as it does nothing else.
    name = packed["filename"].replace("@", "").replace("/", "-")
    print(f"{out / name}: {packed['size']} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
