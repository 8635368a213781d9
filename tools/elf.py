"""Reads what a shared library needs from its ELF: the machine, the libraries, the symbol versions.

From the dynamic segment, which stripping leaves in place. 64-bit little-endian only, as both of Lambda's architectures are.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

MACHINES = {62: "x86_64", 183: "arm64"}
LOAD, DYNAMIC = 1, 2
END, NEEDED, STRTAB, VERNEED, VERNEED_COUNT = 0, 1, 5, 0x6FFFFFFE, 0x6FFFFFFF


class NotElf(ValueError):
    """Not a 64-bit little-endian shared library of a known machine."""


@dataclass
class Elf:
    """What one library asks of the system that loads it."""

    machine: str
    needed: list[str] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)
    """Such as `GLIBC_2.25`."""

    @property
    def glibc(self) -> tuple[int, ...]:
        """The newest version of GLIBC among them."""
        numbers = [version.removeprefix("GLIBC_") for version in self.versions if version.startswith("GLIBC_")]
        return max((tuple(map(int, number.split("."))) for number in numbers), default=(0,))


def read(content: bytes) -> Elf:
    """What a library needs; raises [`NotElf`]."""
    try:
        return _read(content)
    except (struct.error, IndexError, UnicodeDecodeError) as cut:
        raise NotElf(f"not a whole ELF file: {cut}") from cut


def _read(content: bytes) -> Elf:
    def at(form: str, offset: int) -> tuple[Any, ...]:
        return struct.unpack_from("<" + form, content, offset)

    if content[:6] != b"\x7fELF\2\1":
        raise NotElf("not a 64-bit little-endian ELF file")
    (machine,) = at("H", 18)
    if machine not in MACHINES:
        raise NotElf(f"not of a known machine: {machine}")
    (program_headers,) = at("Q", 32)
    size, count = at("HH", 54)
    segments = [at("IIQQQQQQ", program_headers + index * size) for index in range(count)]
    loads = [(address, length, offset) for kind, _, offset, address, _, length, _, _ in segments if kind == LOAD]

    def offset_of(address: int) -> int:
        for start, length, offset in loads:
            if start <= address < start + length:
                return int(offset + address - start)
        raise NotElf(f"nothing is loaded at {address:#x}")

    dynamic = next((offset for kind, _, offset, *_ in segments if kind == DYNAMIC), None)
    if dynamic is None:
        raise NotElf("no dynamic segment")
    entries: list[tuple[int, int]] = []
    while not entries or entries[-1][0] != END:
        tag, value = at("qQ", dynamic + 16 * len(entries))
        entries.append((tag, value))
    tags = dict(entries)
    strings = offset_of(tags[STRTAB])

    def text(index: int) -> str:
        begin = strings + index
        return content[begin : content.index(b"\0", begin)].decode()

    found = Elf(MACHINES[machine], needed=[text(value) for tag, value in entries if tag == NEEDED])
    block = offset_of(tags[VERNEED]) if VERNEED in tags else 0
    for _ in range(tags.get(VERNEED_COUNT, 0)):
        _, names, _, first, following = at("HHIII", block)
        name = block + first
        for _ in range(names):
            _, _, _, index, step = at("IHHII", name)
            found.versions.append(text(index))
            name += step
        block += following
    return found
