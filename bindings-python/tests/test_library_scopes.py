"""`with faults(plan)`: injection points, targets, contexts, threads and tasks."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from faultlayer import Fault, TargetError, faults, inject
from helpers import ERROR, double


@inject()
def point(value: Any = None) -> Any:
    return value


@inject()
async def point_async(value: Any = None) -> Any:
    await asyncio.sleep(0)
    return value


def test_a_scope_holds_for_injection_points() -> None:
    assert point(1) == 1
    with faults(Fault.payload("outer")) as outer:
        assert point(1) == "outer"
        assert asyncio.run(point_async(1)) == "outer"
        with faults(Fault.payload("inner")) as inner:
            assert point(1) == "inner"
        assert point(1) == "outer"
        outer.replace([])
        assert point(1) == 1
    assert point(1) == 1
    assert (outer.injected, inner.injected) == (["response"] * 3, ["response"])
    assert (outer.fired(), outer.fired("response"), outer.fired("other")) == (3, 3, 0)


def test_a_scope_is_its_context_s_alone_unless_it_is_everywhere() -> None:
    with faults(Fault.payload("hit"), strict=False), ThreadPoolExecutor(1) as pool:
        assert pool.submit(point, 1).result() == 1
    with faults(Fault.payload("hit"), everywhere=True), ThreadPoolExecutor(1) as pool:
        assert pool.submit(point, 1).result() == "hit"
        with faults(Fault.payload("near")):
            assert point(1) == "near"
    assert point(1) == 1


def test_tasks_have_their_own_scopes() -> None:
    async def one(name: str) -> Any:
        async with faults(Fault.payload(name)):
            await asyncio.sleep(0.001)
            return await point_async(1)

    async def outlive() -> Any:
        async with faults(Fault.payload("early"), strict=False):
            task = asyncio.create_task(asyncio.sleep(0.01))
            late = asyncio.create_task(_after(task))
        return await late

    async def _after(task: Any) -> Any:
        await task
        return await point_async(1)

    async def main() -> Any:
        return await asyncio.gather(*(one(str(index)) for index in range(50)), outlive())

    assert asyncio.run(main()) == [*map(str, range(50)), 1]


class Service:
    def method(self, value: int) -> Any:
        return value

    @classmethod
    def of_class(cls, value: int) -> Any:
        return (cls.__name__, value)

    @staticmethod
    def of_nothing(value: int) -> Any:
        return value


class Heir(Service):
    pass


def test_a_scope_replaces_targets_and_puts_them_back() -> None:
    before = dict(vars(Service))
    names = [
        f"{__name__}.{name}"
        for name in ("double", "Service.method", "Service.of_class", "Service.of_nothing", "Heir.method")
    ]
    with faults(Fault.latency(0), *names) as chaos:
        assert (double(2), Service().method(3), Service.of_class(4), Service.of_nothing(5)) == (4, 3, ("Service", 4), 5)
        assert Service().of_nothing(6) == 6
        assert chaos.fired("latency") == 5
        assert Heir().method(1) == 1
        assert Heir.of_class(1) == ("Heir", 1)
        assert chaos.fired() >= 7
    assert dict(vars(Service)) == before
    assert "method" not in vars(Heir)
    assert double(2) == 4
    assert chaos.fired() >= 7


@pytest.mark.parametrize("target", ["nowhere.at.all", f"{__name__}.nothing", f"{__name__}.ERROR", "plain"])
def test_a_target_that_is_not_there_is_refused_and_nothing_stays_patched(target: str) -> None:
    original = double
    with pytest.raises(TargetError) as caught, faults(ERROR, f"{__name__}.double", target):
        pass
    assert (caught.value.code, caught.value.path) == ("target_missing", target)
    assert double is original
