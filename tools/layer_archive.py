"""Writes the archive of a layer, laid out as Lambda unpacks it under /opt, and beside it its bill of materials.

The same entries give the same bytes. Refused are native code that needs more than GLIBC 2.26, the oldest that a managed
runtime of ours has (Amazon Linux 2), or a library beside it, and an archive that is larger than it may be.
"""

from __future__ import annotations

import struct
import sys
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import elf
import third_party
import zopfli.zlib  # type: ignore[import-untyped]

MAX_GLIBC = (2, 26)
NATIVE = (".so", ".node")
# Of zopfli's search; more take longer and save nothing that matters.
ITERATIONS = 5
LIBC = {"libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}


def problems(name: str, library: bytes, arch: str) -> list[str]:
    """Why the layer of an architecture cannot have this native code. Of a Mac's, which stay there, nothing is asked."""
    if arch.startswith("darwin_"):
        return []
    try:
        found = elf.read(library)
    except elf.NotElf as error:
        return [f"{name}: {error}"]
    wrong = []
    if found.machine != arch:
        wrong.append(f"{name}: expected native code for {arch}, this is for `{found.machine}`")
    if found.glibc > MAX_GLIBC:
        wrong.append(f"{name}: expected at most GLIBC 2.26, needs `{'.'.join(map(str, found.glibc))}`")
    if others := [needed for needed in found.needed if needed not in LIBC]:
        wrong.append(f"{name}: expected no library but libc's, needs `{'`, `'.join(others)}`")
    return wrong


def zipped(entries: Mapping[str, bytes]) -> bytes:
    """A zip of these files in the order of their names, from 1980 all, so that the time of building leaves no trace.

    Written out here, since Python's own module takes no compressor but zlib: zopfli's deflate is some 3 % smaller.
    """
    files, directory = bytearray(), bytearray()
    for name, content in sorted(entries.items()):
        packed = zopfli.zlib.compress(content, numiterations=ITERATIONS)[2:-4]
        path = name.encode()
        common = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 0x21, zlib.crc32(content), len(packed), len(content), len(path), 0)
        mode = 0o100755 if name.endswith(NATIVE) else 0o100644
        directory += b"PK\1\2" + struct.pack("<H", 3 << 8 | 20) + common
        directory += struct.pack("<HHHII", 0, 0, 0, mode << 16, len(files)) + path
        files += b"PK\3\4" + common + path + packed
    count = len(entries)
    end = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), len(files), 0)
    return bytes(files + directory + end)


def pack(
    entries: Mapping[str, bytes],
    out: Path,
    *,
    crate: str,
    notices: str,
    most_bytes: int,
    more: Iterable[third_party.Component] = (),
) -> int:
    """Writes `entries` (the path in the archive to the content), with the licences of what is in them at `notices`.

    `out` ends in `-ARCHITECTURE.zip`; `most_bytes` is of the archive, whose kilobytes have 1,000 bytes wherever Faultlayer
    speaks of them; `more` is what the layer carries beside the crate's own dependencies. Returns the exit
    status of a packer.
    """
    arch = out.stem.rpartition("-")[2]
    wrong = [line for name, content in entries.items() if name.endswith(NATIVE) for line in problems(name, content, arch)]
    if wrong:
        print("\n".join(wrong), file=sys.stderr)
        return 1
    components = third_party.of_crate(crate, arch, more)
    everything = {**entries, notices: third_party.notices(components).encode()}
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_suffix(".partial")
    partial.write_bytes(zipped(everything))
    size = partial.stat().st_size
    if size > most_bytes:
        partial.unlink()
        print(f"{out}: expected at most {most_bytes} bytes, has `{size}`", file=sys.stderr)
        return 1
    bill = out.with_suffix(".cdx.json")
    bill.write_text(third_party.bill_of_materials(out.stem, components), encoding="utf-8")
    partial.replace(out)
    print(f"{out}: {size} bytes of at most {most_bytes}")
    return 0
