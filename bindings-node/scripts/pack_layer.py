"""Packs the Node layer: the addon and the JavaScript around it, laid out as Lambda unpacks it under /opt.

    python3 pack_layer.py ADDON.so OUT.zip
    python3 pack_layer.py ADDON.so OUT_FOLDER/

The same input gives the same bytes. An archive with native code that needs more than GLIBC 2.26 (Amazon Linux 2) is
refused; a folder is for this machine's own tests.
"""

from __future__ import annotations

import re
import sys
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
FOLDER = "faultlayer/node"
MAX_GLIBC = (2, 26)
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


def files(addon: Path) -> dict[str, bytes]:
    """Path in the zip to what goes there."""
    found = {
        "handler.mjs": start().encode(),
        "faultlayer.node": addon.read_bytes(),
    }
    found |= {f"{Path(path).name}.cjs": script(f"{path}.cjs").encode() for path in LATER}
    return {f"{FOLDER}/{name}": content for name, content in sorted(found.items())}


def glibc_needed(library: Path) -> tuple[int, ...]:
    """The newest GLIBC version that the library's symbols name."""
    names = re.findall(rb"GLIBC_(\d+(?:\.\d+)+)\0", library.read_bytes())
    return max((tuple(int(part) for part in name.split(b".")) for name in names), default=(0,))


def unpacked(addon: Path, out: Path) -> None:
    for name, content in files(addon).items():
        target = out / name
        target.parent.mkdir(parents=True, exist_ok=True)
        # A new file in its place: a process that has the old addon open keeps it.
        target.unlink(missing_ok=True)
        target.write_bytes(content)


def packed(addon: Path, out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_suffix(".partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in files(addon).items():
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100755 if name.endswith(".node") else 0o100644) << 16
            archive.writestr(entry, content)
    partial.replace(out)


def main() -> int:
    addon, out = Path(sys.argv[1]), sys.argv[2]
    if out.endswith("/"):
        unpacked(addon, Path(out))
        return 0
    needed = glibc_needed(addon)
    version = ".".join(map(str, needed))
    if needed > MAX_GLIBC:
        print(f"{addon}: expected at most GLIBC 2.26, needs `{version}`", file=sys.stderr)
        return 1
    packed(addon, Path(out))
    print(f"{out}: {Path(out).stat().st_size} bytes, GLIBC {version}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
