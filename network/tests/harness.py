"""The mechanics, loaded into this very process: `watch` hosts, and `hit` their connections for a while."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "target" / "release" / "examples" / "libnetwork_harness.so"

# As `Trouble` counts them.
NOTHING_TO_PATCH, DESCRIPTORS, RELAY, UNATTRIBUTED = (1 << bit for bit in range(4))


class Network:
    def __init__(self) -> None:
        # PyDLL would hold the GIL in arm and watch, as a binding does; the mechanics never ask for it.
        self._library = ctypes.PyDLL(str(LIBRARY))
        self._library.harness_arm.argtypes = [ctypes.c_char_p, ctypes.c_uint64, ctypes.c_uint64, ctypes.c_uint64]
        self._library.harness_arm.restype = ctypes.c_uint64
        self._library.harness_disarm.argtypes = [ctypes.c_uint64]
        self._library.harness_asked.restype = ctypes.c_uint64
        self._library.harness_trouble.restype = ctypes.c_uint64

    @contextmanager
    def watch(self, *hosts: str) -> Iterator[None]:
        assert self._library.harness_watch(" ".join(hosts).encode()) == 1
        try:
            yield
        finally:
            self._library.harness_unwatch()

    def arm(self, effect: str, number: int = 0, *, lasts_us: int = 0, hits: int = 0) -> int:
        handle: int = self._library.harness_arm(effect.encode(), number, lasts_us, hits)
        assert handle, f"no effect `{effect}`, or nothing is watched"
        return handle

    def disarm(self, handle: int) -> None:
        self._library.harness_disarm(handle)

    @contextmanager
    def hit(self, effect: str, number: int = 0, *, lasts_us: int = 0, hits: int = 0) -> Iterator[None]:
        handle = self.arm(effect, number, lasts_us=lasts_us, hits=hits)
        try:
            yield
        finally:
            self.disarm(handle)

    def asked(self) -> int:
        return int(self._library.harness_asked())

    def trouble(self) -> int:
        return int(self._library.harness_trouble())


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))
