"""Packs the Java layer: the agent and the native library.

Usage: `python3 pack_layer.py LIBRARY.so AGENT.jar OUT.zip`
"""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from layer_archive import pack


def stored(jar: bytes) -> bytes:
    """The same jar without compression: the layer's archive compresses it, and the JVM need not at every cold start."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(jar)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as new:
        for entry in old.infolist():
            if not entry.is_dir():
                new.writestr(zipfile.ZipInfo(entry.filename), old.read(entry))
    return out.getvalue()


if __name__ == "__main__":
    library, agent, out = (Path(argument) for argument in sys.argv[1:4])
    entries = {
        "faultlayer/faultlayer-agent.jar": stored(agent.read_bytes()),
        "faultlayer/java/libfaultlayer_java.so": library.read_bytes(),
    }
    sys.exit(pack(entries, out))
