"""Delays of async calls: under frozen clocks, and under each event loop."""

from __future__ import annotations

import asyncio
import itertools
import os
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import pytest
from faultlayer import EventLoopError, Fault, FaultInjected, faults, inject, wrap
from faultlayer._native import monotonic_ns

DELAY_MS = 30


async def fetch() -> int:
    return 1


def by_freezegun(**options: Any) -> AbstractContextManager[Any]:
    freezegun = pytest.importorskip("freezegun")
    return freezegun.freeze_time("2020-01-01", **options)  # type: ignore[no-any-return]


@contextmanager
def by_time_machine() -> Iterator[None]:
    time_machine = pytest.importorskip("time_machine")
    with time_machine.travel("2020-01-01", tick=False):
        yield


@contextmanager
def by_hand() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name in ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns"):
            monkeypatch.setattr(time, name, itertools.repeat(getattr(time, name)()).__next__)
        yield


FROZEN: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "running": nullcontext,
    "freezegun": by_freezegun,
    "freezegun with a real asyncio": lambda: by_freezegun(real_asyncio=True),
    "time-machine": by_time_machine,
    "by hand": by_hand,
}


def in_asyncio(call: Callable[[], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        return await call()

    return asyncio.run(main())


def in_trio(call: Callable[[], Awaitable[Any]]) -> Any:
    return pytest.importorskip("trio").run(call)


def in_anyio(backend: str) -> Callable[[Callable[[], Awaitable[Any]]], Any]:
    def run(call: Callable[[], Awaitable[Any]]) -> Any:
        pytest.importorskip(backend)
        return pytest.importorskip("anyio").run(call, backend=backend)

    return run


LOOPS = {"asyncio": in_asyncio, "trio": in_trio, "anyio": in_anyio("asyncio"), "anyio on trio": in_anyio("trio")}


@pytest.mark.parametrize("clock", FROZEN)
@pytest.mark.parametrize("loop", LOOPS)
def test_an_async_delay_is_held_and_ends_whatever_the_clocks_say(loop: str, clock: str) -> None:
    begun = monotonic_ns()
    with FROZEN[clock]():
        assert LOOPS[loop](wrap(fetch, Fault.latency(DELAY_MS))) == 1
    assert monotonic_ns() - begun >= DELAY_MS * 1_000_000


@pytest.mark.parametrize("loop", LOOPS)
def test_every_outcome_is_the_same_under_each_loop(loop: str) -> None:
    run = LOOPS[loop]
    with pytest.raises(ConnectionError, match="down"):
        run(wrap(fetch, [Fault.latency(1), Fault.error(ConnectionError, "down")]))
    assert run(wrap(fetch, [Fault.latency(1, when="after"), Fault.payload("late", when="after")])) == "late"
    with pytest.raises(FaultInjected, match="timed out"):
        run(wrap(fetch, Fault.timeout()))


@pytest.mark.parametrize("loop", ["trio", "anyio on trio"])
def test_a_cancelled_call_under_trio_is_not_held(loop: str) -> None:
    trio = pytest.importorskip("trio")

    async def forever() -> None:
        await trio.sleep(60)

    async def main() -> bool:
        for delay in (Fault.latency(30_000), Fault.latency(30_000, when="after")):
            with trio.move_on_after(0.01) as scope:
                await wrap(forever, delay)()
            assert scope.cancelled_caught
        return True

    begun = time.monotonic()
    assert LOOPS[loop](main)
    assert time.monotonic() - begun < 10


def test_a_thousand_delays_at_once_take_one_thread_and_leave_none() -> None:
    running: list[int] = []

    @inject
    async def point() -> None:
        running.append(threading.active_count())

    async def main() -> None:
        before = threading.active_count()
        await asyncio.gather(*(point() for _ in range(1000)))
        assert max(running) <= before + 1

    with faults(Fault.latency({"uniform": {"min": 0, "max": 20}})) as chaos:
        asyncio.run(main())
    assert chaos.fired() == 1000
    until = time.monotonic() + 10
    while any(thread.name == "faultlayer-delays" for thread in threading.enumerate()):
        assert time.monotonic() < until
        time.sleep(0.001)


def test_a_loop_that_goes_on_ticks_while_a_call_is_held() -> None:
    async def main() -> int:
        ticks = 0
        held = asyncio.ensure_future(wrap(fetch, Fault.latency(300))())
        while not held.done():
            await asyncio.sleep(0.005)
            ticks += 1
        return ticks

    # Once, if the call held the loop as well.
    assert asyncio.run(main()) >= 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_is_held_too() -> None:
    async def main() -> None:
        held = asyncio.ensure_future(wrap(fetch, Fault.latency(300))())
        await asyncio.sleep(0.01)
        child = os.fork()
        if child == 0:
            # In a loop of its own: this one is the parent's.
            thread = threading.Thread(target=lambda: asyncio.run(wrap(fetch, Fault.latency(20))()))
            thread.start()
            thread.join(20)
            os._exit(7 if thread.is_alive() else 0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert await held == 1

    asyncio.run(main())


def test_a_loop_that_is_neither_is_told_what_is_supported() -> None:
    call = wrap(fetch, Fault.latency(1))()
    with pytest.raises(EventLoopError, match="expected asyncio or trio") as caught:
        call.send(None)
    assert (caught.value.code, caught.value.path) == ("event_loop_unknown", "delay_ms")
    done = wrap(fetch, Fault.error(ValueError))()
    with pytest.raises(ValueError, match="injected"):
        done.send(None)
