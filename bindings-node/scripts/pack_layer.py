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
# What of lib/ is the layer's; the rest is the library's alone. Each file that Node loads costs a cold start a third of a
# millisecond: what every start needs goes into one, what only a fault needs stays for itself.
AT_START = ["resolve", "native", "wrap"]
AT_A_FAULT = ["act", "errors", "gather", "hold", "stream"]
COMMENT = re.compile(r"^[ \t]*(?:/\*\*.*?\*/|//[^\n]*)\n", re.MULTILINE | re.DOTALL)


def script(path: Path) -> str:
    """A script without the comments that stand on lines of their own."""
    return COMMENT.sub("", path.read_text(encoding="utf-8"))


def start() -> str:
    """`layer.cjs` with the scripts that it loads at every start, each as a function under its name."""
    bodies = "".join(
        f"'./{name}.cjs'(module, require) {{\n{script(HERE / 'lib' / f'{name}.cjs')}}},\n" for name in AT_START
    )
    return f"""'use strict';
const scripts = {{
{bodies}}};
const outside = require;
const modules = {{}};
const inside = (name) => {{
  if (!Object.hasOwn(scripts, name)) return outside(name);
  if (!modules[name]) scripts[name]((modules[name] = {{ exports: {{}} }}), inside);
  return modules[name].exports;
}};
((require) => {{
{script(HERE / "layer" / "layer.cjs")}}})(inside);
"""


def files(addon: Path) -> dict[str, bytes]:
    """Path in the zip to what goes there."""
    found = {
        "handler.mjs": script(HERE / "layer" / "handler.mjs").encode(),
        "layer.cjs": start().encode(),
        "faultlayer.node": addon.read_bytes(),
    }
    found |= {f"{name}.cjs": script(HERE / "lib" / f"{name}.cjs").encode() for name in AT_A_FAULT}
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
