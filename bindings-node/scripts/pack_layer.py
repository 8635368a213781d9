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
# What every start needs is one file: these in its one scope, where no name may be declared twice.
AT_ONCE = ["shared", "builtins", "hold", "errors", "act", "wrap"]
COMMENT = re.compile(r"^[ \t]*(?:/\*\*.*?\*/|//[^\n]*)\n", re.MULTILINE | re.DOTALL)
INDENT = re.compile(r"^[ \t]+", re.MULTILINE)
TAKES = re.compile(rf"^const \{{([^}}]*)\}} = require\('\./(?:{'|'.join(AT_ONCE)})\.cjs'\);\n", re.MULTILINE)
GIVES = re.compile(r"^module\.exports = (\{[^}]*\});\n", re.MULTILINE)
STRICT = "'use strict';\n"
STREAM = "require('./stream.cjs')"


def script(path: str) -> str:
    """A script without indentation and the comments that stand on lines of their own."""
    return INDENT.sub("", COMMENT.sub("", (HERE / path).read_text(encoding="utf-8")))


def start() -> str:
    """`handler.mjs` with all that it needs at once, which it hands to what it loads only for streams."""
    before, after = TAKES.split(script("layer/handler.mjs"))[::2]
    parts = (GIVES.sub("", TAKES.sub("", script(f"lib/{name}.cjs").removeprefix(STRICT))) for name in AT_ONCE)
    return (before + "".join(parts) + after).replace(STREAM, f"{STREAM}({{{taken()}}})")


def taken() -> str:
    """The names that streams take from what is in `handler.mjs`."""
    return ", ".join(names.strip().rstrip(",") for names in TAKES.findall(script("lib/stream.cjs")))


def stream() -> str:
    """`stream.cjs` as a function of what it takes."""
    body = GIVES.sub(r"return \1;\n", TAKES.sub("", script("lib/stream.cjs").removeprefix(STRICT)))
    return f"{STRICT}module.exports = ({{{taken()}}}) => {{\n{body}}};\n"


def entries(addon: Path) -> dict[str, bytes]:
    """Path in the archive to what goes there."""
    scripts = {
        "handler.mjs": start(),
        "stream.cjs": stream(),
        "gather.cjs": script("lib/gather.cjs"),
        "failures.cjs": script("layer/failures.cjs"),
        "first.cjs": script("layer/first.cjs"),
        "last.mjs": script("layer/last.mjs"),
    }
    found = {name: text.encode() for name, text in scripts.items()} | {"faultlayer.node": addon.read_bytes()}
    return {f"{FOLDER}/{name}": content for name, content in sorted(found.items())}


if __name__ == "__main__":
    crate, notices = "faultlayer-node", f"{FOLDER}/THIRD-PARTY-NOTICES.txt"
    sys.exit(pack(entries(Path(sys.argv[1])), Path(sys.argv[2]), crate=crate, notices=notices, most_bytes=540_000))
