"""Packs the Python layer: the native library and the package around it.

Usage: `python3 pack_layer.py LIBRARY.so OUT.zip`
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(HERE.parent / "tools"))

from layer_archive import pack  # noqa: E402 - the tools are no package

PACKAGE = "python/faultlayer_layer"


def entries(library: Path) -> dict[str, bytes]:
    """Path in the archive to what goes there."""
    found = {f"{PACKAGE}/{path.name}": path for path in (HERE / "layer" / "faultlayer_layer").glob("*.py")}
    found[f"{PACKAGE}/_native.abi3.so"] = library
    return {name: path.read_bytes() for name, path in found.items()}


if __name__ == "__main__":
    crate, notices = "faultlayer-python", f"{PACKAGE}/THIRD-PARTY-NOTICES.txt"
    sys.exit(pack(entries(Path(sys.argv[1])), Path(sys.argv[2]), crate=crate, notices=notices, most_bytes=500_000))
