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
AT_ONCE = ["shared", "builtins", "hold", "errors", "act", "wrap", "watch"]
# What only some functions or plans need: files that get what they take of it, each of these in one scope.
LATER = {
    "stream": ["stream"],
    "calls": ["owners", "front", "outgoing", "dispatch", "hook", "calls"],
}
COMMENT = re.compile(r"^[ \t]*(?:/\*\*.*?\*/|//[^\n]*)\n", re.MULTILINE | re.DOTALL)
INDENT = re.compile(r"^[ \t]+", re.MULTILINE)
GIVES = re.compile(r"^module\.exports = (\{[^}]*\});\n", re.MULTILINE)
STRICT = "'use strict';\n"


def takes(names: list[str]) -> re.Pattern[str]:
    """What takes something of one of these."""
    return re.compile(rf"^const \{{([^}}]*)\}} = require\('\./(?:{'|'.join(names)})\.cjs'\);\n", re.MULTILINE)


def script(path: str) -> str:
    """A script without indentation and the comments that stand on lines of their own."""
    return INDENT.sub("", COMMENT.sub("", (HERE / path).read_text(encoding="utf-8")))


def part(name: str) -> str:
    return script(f"lib/{name}.cjs").removeprefix(STRICT)


def start() -> str:
    """`handler.mjs` with all that it needs at once, which it hands to what it loads only where that is needed."""
    before, *_, after = takes(AT_ONCE).split(script("layer/handler.mjs"))[::2]
    parts = (GIVES.sub("", takes(AT_ONCE).sub("", part(name))) for name in AT_ONCE)
    text = before + "".join(parts) + after
    for name, together in LATER.items():
        given = f"{{{taken(together)}}}"
        text = text.replace(f"require('./{name}.cjs')", f"require('./{name}.cjs')({given})")
        text = text.replace(f"keep('./{name}.cjs')", f"keep('./{name}.cjs', {given})")
    return text


def taken(together: list[str]) -> str:
    """The names that these take from what is in `handler.mjs`."""
    found = (names.split(",") for each in together for names in takes(AT_ONCE).findall(part(each)))
    return ", ".join(sorted({name.strip() for names in found for name in names} - {""}))


def later(together: list[str]) -> str:
    """A file with these as a function of what they take: it gives what the last one does."""
    *others, last = (takes(AT_ONCE + together).sub("", part(each)) for each in together)
    body = "".join(GIVES.sub("", text) for text in others) + GIVES.sub(r"return \1;\n", last)
    return f"{STRICT}module.exports = ({{{taken(together)}}}) => {{\n{body}}};\n"


def entries(addon: Path) -> dict[str, bytes]:
    """Path in the archive to what goes there."""
    scripts = {
        "handler.mjs": start(),
        **{f"{name}.cjs": later(together) for name, together in LATER.items()},
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
