"""The library: plans around callables, in every form of either, and what is told about them."""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
import logging
import subprocess
import sys
import time
import traceback
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import faultlayer
import pytest
from faultlayer import (
    Fault,
    FaultInjected,
    FaultlayerError,
    InvalidPlanError,
    MissingExpiryError,
    Plan,
    PlanError,
    Record,
    UnreadablePlanError,
    faults,
    inject,
    wrap,
)
from helpers import ERROR, called, double, double_async


@pytest.mark.parametrize("function", [double, double_async])
def test_wrap_and_inject_keep_what_a_function_is(function: Any) -> None:
    for wrapped in (wrap(function, []), inject(Plan())(function), wrap(function)):
        assert called(wrapped, 4) == 8
        assert called(wrapped, number=4) == 8
        assert wrapped.__name__ == function.__name__
        assert wrapped.__doc__ == function.__doc__
        assert inspect.signature(wrapped) == inspect.signature(function)
        assert inspect.iscoroutinefunction(wrapped) == inspect.iscoroutinefunction(function)


@pytest.mark.parametrize("function", [double, double_async])
def test_outcomes_before_the_call(function: Any) -> None:
    with pytest.raises(ConnectionError, match="down"):
        called(wrap(function, ERROR), 4)
    assert called(wrap(function, Fault.response(503, body="busy")), 4) == {
        "statusCode": 503,
        "headers": {},
        "body": "busy",
    }
    assert called(wrap(function, Fault.payload([1, None])), 4) == [1, None]
    records: list[Record] = []
    begun = time.monotonic()
    assert called(wrap(function, Fault.latency(30), records=records), 4) == 8
    assert time.monotonic() - begun >= 0.03
    assert [(record["kind"], record["action"], record["delay_ms"]) for record in records] == [
        ("latency", "injected", 30)
    ]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_outcomes_after_the_call(asynchronous: bool) -> None:
    calls = []

    def answer(event: Any, context: Any) -> Any:
        calls.append(event)
        if event == "fail":
            raise KeyError("own")
        return event

    async def answer_async(event: Any, context: Any) -> Any:
        return answer(event, context)

    function = answer_async if asynchronous else answer
    late = Fault.error("ValueError", "late", when="after")
    with pytest.raises(ValueError, match="late"):
        called(wrap(function, late), 1, None)
    with pytest.raises(KeyError, match="own"):
        called(wrap(function, late), "fail", None)
    assert called(wrap(function, Fault.payload("other", when="after")), 1, None) == "other"
    assert calls == [1, "fail", 1]
    begun = time.monotonic()
    with pytest.raises(KeyError):
        called(wrap(function, Fault.latency(30, when="after")), "fail", None)
    assert time.monotonic() - begun >= 0.03


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_timeout_holds_past_the_deadline_and_raises(asynchronous: bool) -> None:
    deadline = int(time.time() * 1000) + 100
    context = SimpleNamespace(
        aws_request_id="one", get_remaining_time_in_millis=lambda: deadline - int(time.time() * 1000)
    )

    async def handle_async(event: Any, context: Any) -> int:
        return 1

    function: Any = handle_async if asynchronous else (lambda event, context: 1)
    with pytest.raises(FaultInjected, match=r"^Task timed out after \d\.00 seconds$"):
        called(wrap(function, Fault.timeout()), {}, context)
    assert time.time() * 1000 >= deadline + 1000


@pytest.mark.parametrize("asynchronous", [False, True])
def test_exit_ends_the_process(asynchronous: bool) -> None:
    code = "import asyncio, atexit, faultlayer as f\natexit.register(print, 'atexit')\nasync def later(): pass\n" + (
        "asyncio.run(f.wrap(later, f.Fault.exit(7))())" if asynchronous else "f.wrap(print, f.Fault.exit(7))()"
    )
    path = str(Path(faultlayer.__file__).parents[1])
    ended = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": path}, capture_output=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (7, b"", b"")


def test_any_callable() -> None:
    class Service:
        @inject(Fault.payload("method"))
        def method(self) -> str:
            return "own"

        @classmethod
        @inject(Fault.payload("class"))
        def of_class(cls) -> str:
            return "own"

        @staticmethod
        @inject(Fault.payload("static"))
        def of_nothing() -> str:
            return "own"

        @inject(Fault.payload("async method"))
        async def later(self) -> str:
            return "own"

        def __call__(self) -> str:
            return "own"

    service = Service()
    assert (service.method(), Service.of_class(), service.of_nothing()) == ("method", "class", "static")
    assert asyncio.run(service.later()) == "async method"
    assert wrap(service, Fault.payload("instance"))() == "instance"
    assert wrap(functools.partial(double, 4), Fault.latency(0))() == 8
    assert wrap(len, Fault.payload(0))("three") == 0
    with pytest.raises(ConnectionError):
        wrap(len, ERROR)("three")
    with pytest.raises(TypeError, match="expected a callable"):
        wrap(5, ERROR)  # type: ignore[type-var]


def test_every_form_of_a_plan(tmp_path: Path) -> None:
    fields = {
        "version": 1,
        "expires_at": "never",
        "faults": [{"id": "a", "kind": "response", "rate": 1, "payload": "yes"}],
    }
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(fields), encoding="utf-8")
    fault = Fault.payload("yes")
    forms: list[Any] = [fields, json.dumps(fields), path, str(path), f"file:{path}", Plan(fault), fault, [fault]]
    forms += [{"kind": "response", "payload": "yes"}, [{"kind": "response", "payload": "yes"}]]
    for plan in forms:
        assert wrap(double, plan)(1) == "yes"  # type: ignore[comparison-overlap]


def test_the_builder_writes_the_engine_s_plan() -> None:
    plan = Plan(
        Fault.latency({"uniform": {"min": 1, "max": 2}}, rate=0.5, limit=3),
        Fault.latency(5),
        Fault.error({"python": "KeyError"}, properties={"a": 1}, id="boom", when="after", sample_by="attempt"),
        Fault.exit(),
        Fault.timeout(rate=0),
        seed=7,
        experiment="x",
        dry_run=True,
        limits={"injections": 10},
        metrics={"namespace": "Faultlayer"},
        traces=True,
    )
    assert json.loads(plan.to_json()) == {
        "version": 1,
        "experiment": "x",
        "seed": 7,
        "expires_at": "never",
        "dry_run": True,
        "metrics": {"namespace": "Faultlayer"},
        "traces": True,
        "limits": {"injections": 10},
        "faults": [
            {
                "id": "latency",
                "rate": 0.5,
                "kind": "latency",
                "delay_ms": {"uniform": {"min": 1, "max": 2}},
                "limit": 3,
            },
            {"id": "latency-2", "rate": 1, "kind": "latency", "delay_ms": 5},
            {
                "id": "boom",
                "rate": 1,
                "kind": "error",
                "type": {"python": "KeyError"},
                "properties": {"a": 1},
                "when": "after",
                "sample_by": "attempt",
            },
            {"id": "exit", "rate": 1, "kind": "exit"},
            {"id": "timeout", "rate": 0, "kind": "timeout"},
        ],
    }
    assert wrap(double, plan)(1) == 2


@pytest.mark.parametrize(
    ("plan", "kind", "code", "path"),
    [
        (
            {"version": 1, "expires_at": "never", "faults": [{"id": "a"}]},
            InvalidPlanError,
            "plan_invalid",
            "faults[0].kind",
        ),
        (
            {"version": 1, "faults": [{"id": "a", "kind": "exit", "rate": 1}]},
            MissingExpiryError,
            "plan_without_expiry",
            "expires_at",
        ),
        (Fault.latency(-1), InvalidPlanError, "plan_invalid", "faults[0].delay_ms"),
        (Fault.error("X", rate=25), InvalidPlanError, "plan_invalid", "faults[0].rate"),
        (Fault.error("X", rate=float("nan")), InvalidPlanError, "plan_invalid", "faults[0].rate"),
        (Fault.payload({1, 2}), InvalidPlanError, "plan_invalid", "faults[0].payload"),
        (
            [Fault.latency(1), Fault.payload({"a": [{1: 2}]})],
            InvalidPlanError,
            "plan_invalid",
            "faults[1].payload.a[0]",
        ),
        (Fault("error", type=int), InvalidPlanError, "plan_invalid", "faults[0].type"),
        (Fault("error", type=KeyError("x")), InvalidPlanError, "plan_invalid", "faults[0].type"),
        (
            Fault.error(type("Local", (Exception,), {"__qualname__": "f.<locals>.Local"})),
            InvalidPlanError,
            "plan_invalid",
            "faults[0].type",
        ),
        (Plan(Fault.exit(), expires_at=datetime(2030, 1, 1)), InvalidPlanError, "plan_invalid", "expires_at"),
        ({"version": 1, "expires_at": timedelta(1), "faults": []}, InvalidPlanError, "plan_invalid", "expires_at"),
        ("{nonsense", InvalidPlanError, "plan_invalid", ""),
        ("/nowhere/plan.json", UnreadablePlanError, "plan_unreadable", ""),
        (5, InvalidPlanError, "plan_invalid", ""),
    ],
)
def test_a_plan_that_does_not_hold_is_refused(plan: Any, kind: type[PlanError], code: str, path: str) -> None:
    for use in (lambda: wrap(double, plan), lambda: faults(plan), lambda: inject(plan)(double)):
        with pytest.raises(kind) as caught:
            use()
        error = caught.value
        assert isinstance(error, FaultlayerError)
        assert (error.code, error.path) == (code, path)


def test_classes_and_times_are_taken_as_python_has_them() -> None:
    in_an_hour = datetime.now(timezone(timedelta(hours=2))) + timedelta(hours=1)
    plan = Plan(
        Fault.error(ConnectionError, "down"),
        Fault.error({"python": json.JSONDecodeError}, rate=0),
        Fault.error(OrderError.Inner, when="after"),
        starts_at=in_an_hour - timedelta(hours=2),
        expires_at=in_an_hour,
    )
    fields = json.loads(plan.to_json())
    assert [fault["type"] for fault in fields["faults"]] == [
        "ConnectionError",
        {"python": "json.decoder.JSONDecodeError"},
        f"{__name__}.OrderError.Inner",
    ]
    assert fields["expires_at"] == in_an_hour.isoformat()
    with pytest.raises(ConnectionError, match="down"):
        wrap(double, plan)(1)
    with pytest.raises(OrderError.Inner):
        wrap(double, {**plan.fields, "faults": [{"id": "a", "kind": "error", "type": OrderError.Inner, "rate": 1}]})(1)


class OrderError(Exception):
    class Inner(ValueError):
        pass


def test_an_injection_point_needs_no_parentheses() -> None:
    @inject
    def point(value: Any) -> Any:
        return value

    @inject
    async def point_async(value: Any) -> Any:
        return value

    assert (point(1), called(point_async, 1)) == (1, 1)
    with faults(Fault.payload("hit")):
        assert (point(1), called(point_async, 1)) == ("hit", "hit")
    with pytest.raises(InvalidPlanError, match="plan: expected a dict, JSON, a path"):
        inject(ConnectionError)(double)


def test_an_injected_error_has_the_place_of_the_handler() -> None:
    with pytest.raises(ConnectionError) as caught:
        wrap(double, ERROR)(1)
    last = traceback.extract_tb(caught.value.__traceback__)[-1]
    code = double.__code__
    assert (last.filename, last.name, last.lineno) == (code.co_filename, "double", code.co_firstlineno + 2)


def test_an_own_error_is_not_the_context_of_an_injected_one() -> None:
    for function in (double, double_async):
        try:
            raise KeyError("outer")
        except KeyError as outer:
            with pytest.raises(ConnectionError) as caught:
                called(wrap(function, ERROR), 1)
            assert caught.value.__context__ in (None, outer)


def test_records_go_where_they_are_wanted(caplog: pytest.LogCaptureFixture) -> None:
    listed: list[Record] = []
    given: list[Record] = []
    wrap(double, Fault.latency(0), records=listed)(1)
    wrap(double, Fault.latency(0), records=given.append)(1)
    assert [record["requestId"] for record in listed] == ["call-1"]
    assert [record["fault"] for record in given] == ["latency"]
    with caplog.at_level(logging.INFO):
        wrap(double, Fault.latency(0))(1)
        wrap(double, Plan(Fault.latency(0), dry_run=True), records=logging.getLogger("mine"))(1)
    assert [(entry.name, entry.levelname) for entry in caplog.records] == [("faultlayer", "WARNING"), ("mine", "INFO")]
    assert json.loads(caplog.records[1].getMessage())["action"] == "dry_run"


def test_an_error_in_a_callback_does_not_reach_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", seen.append)

    def fail(record: Record) -> None:
        raise RuntimeError("the callback")

    assert wrap(double, Fault.latency(0), records=fail)(1) == 2
    assert [str(entry.exc_value) for entry in seen] == ["the callback"]


def test_the_same_seed_meets_the_same_calls() -> None:
    def fates(seed: int) -> list[bool]:
        wrapped: Any = wrap(double, Plan(Fault.payload("hit", rate=0.5), seed=seed))
        return [wrapped(1) == "hit" for _ in range(64)]

    assert fates(1) == fates(1)
    assert fates(1) != fates(2)


def test_client_context_and_request_id_come_from_a_lambda_context() -> None:
    records: list[Record] = []
    wrapped: Any = wrap(lambda event, context: 1, Fault.latency(0), records=records)
    wrapped({}, SimpleNamespace(aws_request_id="one"))
    wrapped(event={}, context=SimpleNamespace(aws_request_id="two"))
    wrapped({}, None)
    wrapped({}, SimpleNamespace(aws_request_id=5))
    assert [record["requestId"] for record in records] == ["one", "two", "call-1", "call-2"]


def test_an_injected_error_carries_what_the_plan_says() -> None:
    with pytest.raises(OSError, match="down") as caught:
        wrap(double, Fault.error("ConnectionError", "down", {"errno": 111, "detail": {"größe": [1, None]}}))(1)
    assert caught.value.errno == 111
    assert caught.value.detail == {"größe": [1, None]}  # type: ignore[attr-defined]
    name = "json.JSONDecodeError"
    with pytest.raises(FaultInjected, match=r"^json\.JSONDecodeError: down$") as unfit:
        wrap(double, Fault.error(name, "down", {"code": "X"}))(1)
    assert (unfit.value.name, unfit.value.code) == (name, "X")  # type: ignore[attr-defined]
