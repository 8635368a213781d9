"""Packs the Java layer: the agent and the native library, laid out as Lambda unpacks them under /opt.

    python3 pack_layer.py LIBRARY.so AGENT.jar OUT.zip

The same input gives the same bytes. Native code that needs more than GLIBC 2.26 (Amazon Linux 2) is refused.
"""

from __future__ import annotations

import io
import re
import sys
import zipfile
from pathlib import Path

AGENT = "faultlayer/faultlayer-agent.jar"
LIBRARY = "faultlayer/java/libfaultlayer_java.so"
MAX_GLIBC = (2, 26)


def glibc_needed(library: bytes) -> tuple[int, ...]:
    """The newest GLIBC version that the library's symbols name."""
    names = re.findall(rb"GLIBC_(\d+(?:\.\d+)+)\0", library)
    return max((tuple(map(int, name.split(b"."))) for name in names), default=(0,))


def stored(jar: bytes) -> bytes:
    """The same jar without compression: the layer's archive compresses it, and the JVM need not at every cold start."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(jar)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as new:
        for entry in old.infolist():
            if not entry.is_dir():
                new.writestr(zipfile.ZipInfo(entry.filename), old.read(entry))
    return out.getvalue()


def main() -> int:
    library, agent, out = (Path(argument) for argument in sys.argv[1:4])
    needed = glibc_needed(library.read_bytes())
    if needed > MAX_GLIBC:
        print(f"{library}: expected at most GLIBC 2.26, needs `{'.'.join(map(str, needed))}`", file=sys.stderr)
        return 1
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_suffix(".partial")
    with zipfile.ZipFile(partial, "w") as archive:
        for name, content in ((AGENT, stored(agent.read_bytes())), (LIBRARY, library.read_bytes())):
            entry = zipfile.ZipInfo(name)  # 1980, so that the time of building leaves no trace
            entry.create_system = 3
            entry.external_attr = 0o100755 << 16 if name == LIBRARY else 0o100644 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED, 9)
    partial.replace(out)
    print(f"{out}: {out.stat().st_size} bytes, GLIBC {'.'.join(map(str, needed))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
