"""Packs the Node layer: the addon and the JavaScript around it.

Usage: `python3 pack_layer.py ADDON.so OUT.zip`
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(HERE.parent / "tools"))

from layer_archive import pack

FOLDER = "faultlayer/node"
# What every start needs goes into handler.mjs; what only a fault or a failure needs stays for itself.
LATER = ["lib/act", "lib/errors", "lib/gather", "lib/hold", "lib/stream", "layer/failures"]
COMMENT = re.compile(r"^[ \t]*(?:/\*\*.*?\*/|//[^\n]*)\n", re.MULTILINE | re.DOTALL)
NOT_IN_A_MODULE = re.compile(r"^(?:'use strict'|module\.exports = \{[^}]*\});\n", re.MULTILINE)
WRAP = "const { wrap, read } = require('./wrap.cjs');\n"


def script(path: str) -> str:
    """A script without the comments that stand on lines of their own."""
    return COMMENT.sub("", (HERE / path).read_text(encoding="utf-8"))


def start() -> str:
    """`handler.mjs` with wrap.cjs in its one scope: no name may be declared by both."""
    before, after = script("layer/handler.mjs").split(WRAP)
    return before + NOT_IN_A_MODULE.sub("", script("lib/wrap.cjs")) + after


def entries(addon: Path) -> dict[str, bytes]:
    """Path in the archive to what goes there."""
    found = {"handler.mjs": start().encode(), "faultlayer.node": addon.read_bytes()}
    found |= {f"{Path(path).name}.cjs": script(f"{path}.cjs").encode() for path in LATER}
    return {f"{FOLDER}/{name}": content for name, content in sorted(found.items())}


if __name__ == "__main__":
    sys.exit(pack(entries(Path(sys.argv[1])), Path(sys.argv[2])))
