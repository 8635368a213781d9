"""Packs the Python layer: the native library and the package around it, laid out as Lambda unpacks it under /opt.

    python3 build_layer.py LIBRARY.so OUT.zip [--any-glibc]

The same input gives the same bytes. Native code that needs more than GLIBC 2.26 (Amazon Linux 2) is refused, unless it
is said that the zip stays on this machine.
"""

from __future__ import annotations

import argparse
import re
import sys
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
PACKAGE = "python/faultlayer_layer"
MAX_GLIBC = (2, 26)


def files(library: Path) -> dict[str, Path]:
    """Path in the zip to the file that goes there."""
    found = {f"{PACKAGE}/{path.name}": path for path in (HERE / "layer" / "faultlayer_layer").glob("*.py")}
    found[f"{PACKAGE}/_acting.py"] = HERE / "python" / "faultlayer" / "_acting.py"
    found[f"{PACKAGE}/_native.abi3.so"] = library
    return dict(sorted(found.items()))


def glibc_needed(library: Path) -> tuple[int, ...]:
    """The newest GLIBC version that the library's symbols name."""
    names = re.findall(rb"GLIBC_(\d+(?:\.\d+)+)\0", library.read_bytes())
    return max((tuple(int(part) for part in name.split(b".")) for name in names), default=(0,))


def pack(library: Path, out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_suffix(".partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, path in files(library).items():
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100755 if name.endswith(".so") else 0o100644) << 16
            archive.writestr(entry, path.read_bytes())
    partial.replace(out)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--any-glibc", action="store_true", help="for tests on this machine only")
    options = parser.parse_args()
    needed = glibc_needed(options.library)
    if needed > MAX_GLIBC and not options.any_glibc:
        print(f"{options.library}: expected at most GLIBC 2.26, needs `{'.'.join(map(str, needed))}`", file=sys.stderr)
        return 1
    pack(options.library, options.out)
    print(f"{options.out}: {options.out.stat().st_size} bytes, GLIBC {'.'.join(map(str, needed))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
