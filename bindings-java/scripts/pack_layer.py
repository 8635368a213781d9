"""Packs the Java layer: the agent and the native library.

Usage: `python3 pack_layer.py LIBRARY.so AGENT.jar OUT.zip`
"""

from __future__ import annotations

import io
import re
import sys
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(HERE.parent / "tools"))

from layer_archive import pack
from third_party import Component

MANIFEST = "META-INF/MANIFEST.MF"


def stored(jar: bytes) -> bytes:
    """The same jar without compression: the layer's archive compresses it, and the JVM need not at every cold start."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(jar)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as new:
        names = sorted(entry.filename for entry in old.infolist() if not entry.is_dir() and entry.filename != MANIFEST)
        for name in [MANIFEST, *names]:
            new.writestr(zipfile.ZipInfo(name), old.read(name))
    return out.getvalue()


def asm() -> Component:
    """What the agent reads and writes classes with."""
    [version] = re.findall(r"<asm.version>(.+)</asm.version>", (HERE / "pom.xml").read_text(encoding="utf-8"))
    text = (HERE / "agent" / "ASM-LICENSE.txt").read_text(encoding="utf-8").strip()
    return Component("asm", version, "BSD-3-Clause", f"pkg:maven/org.ow2.asm/asm@{version}", text)


if __name__ == "__main__":
    library, agent, out = (Path(argument) for argument in sys.argv[1:4])
    entries = {
        "faultlayer/faultlayer-agent.jar": stored(agent.read_bytes()),
        "faultlayer/java/libfaultlayer_java.so": library.read_bytes(),
    }
    notices = "faultlayer/java/THIRD-PARTY-NOTICES.txt"
    sys.exit(pack(entries, out, crate="faultlayer-java", notices=notices, most_bytes=640_000, more=[asm()]))
