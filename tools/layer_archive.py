"""Writes the archive of a layer, laid out as Lambda unpacks it under /opt.

The same entries give the same bytes. Native code that needs more than GLIBC 2.26, the oldest that a managed runtime of ours
has (Amazon Linux 2), is refused.
"""

from __future__ import annotations

import re
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

MAX_GLIBC = (2, 26)
NATIVE = (".so", ".node")


def glibc_needed(library: bytes) -> tuple[int, ...]:
    """The newest GLIBC version that the library's symbols name."""
    names = re.findall(rb"GLIBC_(\d+(?:\.\d+)+)\0", library)
    return max((tuple(int(part) for part in name.split(b".")) for name in names), default=(0,))


def pack(entries: Mapping[str, bytes], out: Path) -> int:
    """Writes `entries` (the path in the archive to the content) in their order. Returns the exit status of a packer."""
    needed = max(glibc_needed(content) for name, content in entries.items() if name.endswith(NATIVE))
    version = ".".join(map(str, needed))
    if needed > MAX_GLIBC:
        print(f"{out}: native code: expected at most GLIBC 2.26, needs `{version}`", file=sys.stderr)
        return 1
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_suffix(".partial")
    with zipfile.ZipFile(partial, "w") as archive:
        for name, content in entries.items():
            entry = zipfile.ZipInfo(name)  # 1980, so that the time of building leaves no trace
            entry.create_system = 3
            entry.external_attr = (0o100755 if name.endswith(NATIVE) else 0o100644) << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED, 9)
    partial.replace(out)
    print(f"{out}: {out.stat().st_size} bytes, GLIBC {version}")
    return 0
