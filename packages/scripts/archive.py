"""Writes the plain archive of the command for one platform: `bin/faultlayer` and `share/faultlayer`.

    python3 archive.py ARCH OUT [--command FILE]

The same inputs give the same bytes.
"""

from __future__ import annotations

import argparse
import gzip
import io
import sys
import tarfile
from pathlib import Path

import project
import shared


def pack(arch: str, command: Path, out: Path, level: int = 9) -> Path:
    """The archive; everything in it is below one folder. `level` is gzip's."""
    root = f"faultlayer-{project.version()}-linux-{arch}"
    entries = {f"share/faultlayer/{name}": content for name, content in shared.files(project.DIST).items()}
    entries |= shared.licences("faultlayer-cli", arch)
    entries["README.md"] = shared.readme(f"export PATH=$PWD/{root}/bin:$PATH").encode()
    entries["bin/faultlayer"] = command.read_bytes()
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in sorted(entries.items()):
            entry = tarfile.TarInfo(f"{root}/{name}")
            entry.size = len(content)
            entry.mode = 0o755 if name.startswith("bin/") else 0o644
            archive.addfile(entry, io.BytesIO(content))
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{root}.tar.gz"
    path.write_bytes(gzip.compress(packed.getvalue(), level, mtime=0))
    return path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("arch", choices=project.ARCHES)
    parser.add_argument("out", type=Path)
    parser.add_argument("--command", type=Path)
    arguments = parser.parse_args()
    path = pack(arguments.arch, shared.command(arguments.arch, arguments.command), arguments.out)
    print(f"{path}: {path.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
