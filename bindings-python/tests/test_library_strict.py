"""A scope whose faults never had a chance to fire fails, and says why."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from types import ModuleType
from typing import Any

import helpers
import pytest
from faultlayer import Fault, FaultInjected, NoChanceError, Plan, UnknownErrorTypeError, faults, inject, wrap
from helpers import ERROR, double

DOUBLE = f"{__name__}.double"
NOW = datetime.now(timezone.utc)


@inject
def point(value: Any = None) -> Any:
    return value


def ignore(_: pytest.MonkeyPatch) -> None:
    pass


def call_target(_: pytest.MonkeyPatch) -> None:
    assert double(2) == 4


def call_in_a_thread(_: pytest.MonkeyPatch) -> None:
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(point, 1).result() == 1


def patch_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "double", lambda number: "fake")
    assert double(2) == "fake"  # type: ignore[comparison-overlap]


def call_another_copy(_: pytest.MonkeyPatch) -> None:
    assert helpers.double(2) == 4


MISSED: dict[str, tuple[Plan, tuple[str, ...], Callable[[pytest.MonkeyPatch], None], str, str]] = {
    "a target is not called": (Plan(ERROR), (DOUBLE,), ignore, "not_called", f"`{DOUBLE}` was not called"),
    "no injection point is called": (Plan(ERROR), (), ignore, "not_called", "no injection point"),
    "another copy is called": (Plan(ERROR), (DOUBLE,), call_another_copy, "not_called", "`helpers.double`"),
    "the plan is over": (
        Plan(ERROR, expires_at=NOW - timedelta(days=1)),
        (DOUBLE,),
        call_target,
        "expired",
        "`expires_at`",
    ),
    "the plan has not begun": (
        Plan(ERROR, starts_at=NOW + timedelta(days=1)),
        (DOUBLE,),
        call_target,
        "not_started",
        "`starts_at`",
    ),
    "another thread": (Plan(ERROR), (), call_in_a_thread, "other_thread", "everywhere=True"),
    "patched over": (Plan(ERROR), (DOUBLE,), patch_over, "patched_over", f"`{DOUBLE}` was replaced"),
}


@pytest.mark.parametrize("case", MISSED)
def test_faults_that_had_no_chance_fail_the_scope(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plan, targets, call, reason, why = MISSED[case]
    original = double
    with pytest.raises(NoChanceError) as caught, faults(plan, *targets):
        call(monkeypatch)
    monkeypatch.undo()
    assert isinstance(caught.value, AssertionError)
    assert (caught.value.code, caught.value.fault, caught.value.reason) == ("no_chance", "error", reason)
    assert caught.value.path == "faults[0]"
    assert str(caught.value).startswith(f"faults[0]: `error` had no chance to fire: {reason}, ")
    assert why in str(caught.value)
    assert "strict=False" in str(caught.value)
    with faults(plan, *targets, strict=False) as chaos:
        call(monkeypatch)
    assert [missed.reason for missed in chaos.no_chance] == [reason]
    monkeypatch.undo()
    with faults(Fault.latency(0), DOUBLE):
        double(1)
    assert double is original


CHANCES: dict[str, list[Any]] = {
    "a rate that does not hit": [Fault.latency(0, rate=1e-15)],
    "a rate of nothing": [Fault.latency(0, rate=0)],
    "a pattern that does not match": [Fault.latency(0, match={"event": {"a": [1]}})],
    "a limit of one": [Fault.latency(0, limit=1)],
    "what is skipped": [Fault.latency(0, when="during", after_ms=1)],
    "one of several": [Fault.payload(1), Fault.error("ValueError", when="after")],
    "no faults": [],
}


@pytest.mark.parametrize("case", CHANCES)
def test_a_call_in_the_plan_s_window_is_a_chance_whatever_comes_of_it(case: str) -> None:
    with faults(CHANCES[case], DOUBLE):
        double(2)
        double(2)


def test_a_plan_without_faults_is_never_missed() -> None:
    with faults([]):
        pass


def test_the_block_s_own_error_stands() -> None:
    with pytest.raises(KeyError, match="own"), faults(ERROR):
        raise KeyError("own")

    async def main() -> None:
        async with faults(ERROR):
            raise KeyError("own")

    with pytest.raises(KeyError, match="own"):
        asyncio.run(main())


def test_an_async_scope_is_judged_too() -> None:
    async def main() -> None:
        async with faults(ERROR):
            pass

    with pytest.raises(NoChanceError):
        asyncio.run(main())


def test_a_plan_that_is_replaced_is_judged_as_it_stands() -> None:
    with pytest.raises(NoChanceError) as caught, faults(Fault.latency(0, id="first"), DOUBLE) as chaos:
        chaos.replace(Fault.latency(0, id="second"))
        double(1)
        chaos.replace(Fault.latency(0, id="third"))
    assert [(missed.fault, missed.reason) for missed in caught.value.missed] == [
        ("first", "not_called"),
        ("third", "not_called"),
    ]


def test_a_scope_elsewhere_does_not_take_a_call_for_missed() -> None:
    with faults(Fault.latency(0)) as chaos:
        call_in_a_thread(pytest.MonkeyPatch())
        point(1)
    assert chaos.fired() == 1


UNKNOWN: dict[str, tuple[Any, str]] = {
    "a misspelt builtin": (Fault.error("ConectionError"), "faults[0].type"),
    "no exception": (Fault.error("int"), "faults[0].type"),
    "no such module": ([Fault.latency(1), Fault.error("nowhere.Error")], "faults[1].type"),
    "no such class": (Fault.error({"python": "json.Nothing", "node": "X"}), "faults[0].type.python"),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_a_class_of_errors_that_is_not_there_is_an_error(case: str) -> None:
    plan, path = UNKNOWN[case]

    def use_scope() -> None:
        with faults(plan, strict=False):
            pass

    def use_wrapper() -> None:
        wrap(double, plan)(1)

    for use in (use_scope, use_wrapper):
        with pytest.raises(UnknownErrorTypeError) as caught:
            use()
        assert caught.value.code == "unknown_error_type"
        assert caught.value.path in (path, "type")
        assert "expected a built-in exception or the dotted path of an exception class" in str(caught.value)
    with faults(Fault.latency(0, id="kept"), DOUBLE) as chaos:
        with pytest.raises(UnknownErrorTypeError):
            chaos.replace(plan)
        double(1)
    assert chaos.injected == ["kept"]


def test_a_plan_for_other_languages_only_raises_the_fallback() -> None:
    with faults(Fault.error({"node": "TypeError"}), DOUBLE), pytest.raises(FaultInjected):
        double(1)


def test_a_decorator_may_name_a_class_of_a_module_that_is_on_its_way() -> None:
    module = ModuleType("on_its_way")
    sys.modules["on_its_way"] = module
    try:
        wrapped = wrap(double, Fault.error("on_its_way.Error", "down"))
        with pytest.raises(UnknownErrorTypeError):
            wrapped(1)
        module.Error = type("Error", (Exception,), {})  # type: ignore[attr-defined]
        with pytest.raises(module.Error, match="down"):
            wrapped(1)
    finally:
        del sys.modules["on_its_way"]
