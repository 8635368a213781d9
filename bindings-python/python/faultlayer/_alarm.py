"""Waiting under an event loop: for asyncio and trio, and by a clock that no test can freeze.

Owns how an async delay ends: a thread of ours, there only while somebody waits, wakes the loop. A loop's own timers
would stand still with the clocks that freezegun, time-machine or a loop of a test's own replace.
"""

from __future__ import annotations

import asyncio
import heapq
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any

from ._errors import EventLoopError
from ._native import monotonic_ns

Wake = Callable[[], object]


class _Alarms:
    """Calls each `wake` once its time has come, never early."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[tuple[int, int, Wake]] = []
        self._numbers = count()
        self._thread: threading.Thread | None = None

    def set(self, at_ns: int, wake: Wake) -> tuple[int, int, Wake]:
        alarm = (at_ns, next(self._numbers), wake)
        with self._changed:
            heapq.heappush(self._waiting, alarm)
            # After a fork the thread is not alive here.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="faultlayer-delays", daemon=True)
                self._thread.start()
            self._changed.notify()
        return alarm

    def drop(self, alarm: tuple[int, int, Wake]) -> None:
        """Nobody waits any more."""
        with self._changed:
            if alarm in self._waiting:
                self._waiting.remove(alarm)
                heapq.heapify(self._waiting)
                self._changed.notify()

    def _run(self) -> None:
        with self._changed:
            while self._waiting:
                left = self._waiting[0][0] - monotonic_ns()
                if left > 0:
                    self._changed.wait(left / 1e9)
                    continue
                _, _, wake = heapq.heappop(self._waiting)
                # A loop that is over has nobody left to wake.
                with suppress(Exception):
                    wake()
            self._thread = None


_alarms = _Alarms()
if hasattr(os, "register_at_fork"):
    # The thread and whoever waited stay behind.
    os.register_at_fork(after_in_child=_alarms.__init__)  # type: ignore[misc]


async def hold(micros: int) -> None:
    """Holds for at least so many microseconds, and lets everything else run.

    Raises `EventLoopError` under anything but asyncio and trio (anyio is one of them).
    """
    if micros <= 0:
        return
    at_ns = monotonic_ns() + micros * 1000
    trio = sys.modules.get("trio")
    if trio is not None and _in_trio(trio):
        await _hold_in_trio(trio, at_ns)
        return
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        raise EventLoopError("delay_ms: expected asyncio or trio around an async call with a delay") from None
    over: asyncio.Future[None] = loop.create_future()
    alarm = _alarms.set(at_ns, lambda: loop.call_soon_threadsafe(_end, over))
    try:
        await over
    finally:
        _alarms.drop(alarm)


def _end(over: asyncio.Future[None]) -> None:
    if not over.done():
        over.set_result(None)


async def _hold_in_trio(trio: Any, at_ns: int) -> None:
    over, token = trio.Event(), trio.lowlevel.current_trio_token()
    alarm = _alarms.set(at_ns, lambda: token.run_sync_soon(over.set))
    try:
        await over.wait()
    finally:
        _alarms.drop(alarm)


def _in_trio(trio: Any) -> bool:
    try:
        trio.lowlevel.current_task()
    except RuntimeError:
        return False
    return True
