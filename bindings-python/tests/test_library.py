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
from concurrent.futures import ThreadPoolExecutor
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
    TargetError,
    UnreadablePlanError,
    faults,
    inject,
    wrap,
)

ERROR = Fault.error("ConnectionError", "down")


def double(number: int) -> int:
    """Doubles."""
    return number * 2


async def double_async(number: int) -> int:
    """Doubles, later."""
    await asyncio.sleep(0)
    return number * 2


def called(function: Any, *args: Any, **kwargs: Any) -> Any:
    """The answer of a sync or async callable."""
    answer = function(*args, **kwargs)
    return asyncio.run(answer) if inspect.iscoroutine(answer) else answer


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
    with pytest.raises(FaultInjected, match=r"^Task timed out after 1\.00 seconds$"):
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
    )
    assert json.loads(plan.to_json()) == {
        "version": 1,
        "experiment": "x",
        "seed": 7,
        "expires_at": "never",
        "dry_run": True,
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
        (Fault.error("X", rate=float("nan")), InvalidPlanError, "plan_invalid", ""),
        (Fault.payload({1, 2}), InvalidPlanError, "plan_invalid", ""),
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
    with faults(Fault.payload("hit")), ThreadPoolExecutor(1) as pool:
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
        async with faults(Fault.payload("early")):
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


def test_client_context_and_request_id_come_from_a_lambda_context() -> None:
    records: list[Record] = []
    wrapped: Any = wrap(lambda event, context: 1, Fault.latency(0), records=records)
    wrapped({}, SimpleNamespace(aws_request_id="one"))
    wrapped(event={}, context=SimpleNamespace(aws_request_id="two"))
    wrapped({}, None)
    wrapped({}, SimpleNamespace(aws_request_id=5))
    assert [record["requestId"] for record in records] == ["one", "two", "call-1", "call-2"]


def test_limits_are_exact_and_nobody_gets_another_s_fault_with_32_threads() -> None:
    records: list[Record] = []
    per_thread, limit = 200, 1000
    plan = Plan(
        Fault.payload("hit", id="half", rate=0.5, limit=limit),
        Fault.error("ConnectionError", "late", id="late", rate=0.3, when="after"),
        seed=3,
    )
    wrapped: Any = wrap(lambda event, context: context.aws_request_id, plan, records=records)
    reference: Any = wrap(lambda event, context: context.aws_request_id, Plan(*[]), records=[])
    fates: dict[str, str] = {}

    def run(thread: int) -> None:
        for number in range(per_thread):
            name = f"{thread}-{number}"
            context = SimpleNamespace(aws_request_id=name)
            assert reference({}, context) == name
            try:
                answer = wrapped({}, context)
                assert answer in ("hit", name)
                fates[name] = "hit" if answer == "hit" else "own"
            except ConnectionError:
                fates[name] = "late"

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(run, range(32)))
    assert len(fates) == 32 * per_thread
    injected = {(record["requestId"], record["fault"]) for record in records if record["action"] == "injected"}
    assert sum(fault == "half" for _, fault in injected) == limit
    for name, fate in fates.items():
        assert ((name, "half") in injected) == (fate == "hit")
        assert ((name, "late") in injected) == (fate == "late")


def test_interleaving_tasks_meet_their_own_faults_only() -> None:
    records: list[Record] = []
    plan = Plan(
        Fault.latency({"uniform": {"min": 0, "max": 5}}, id="slow", rate=0.7),
        Fault.payload("hit", id="half", rate=0.5, limit=100),
        Fault.error("ConnectionError", "late", id="late", rate=0.3, when="after"),
    )

    @inject(plan, records=records)
    async def handle(event: Any, context: Any) -> Any:
        await asyncio.sleep(0)
        return context.aws_request_id

    async def main() -> list[Any]:
        contexts = [SimpleNamespace(aws_request_id=f"task-{index}") for index in range(400)]
        return await asyncio.gather(*(handle({}, context) for context in contexts), return_exceptions=True)

    answers = asyncio.run(main())
    injected = {(record["requestId"], record["fault"]) for record in records if record["action"] == "injected"}
    assert sum(fault == "half" for _, fault in injected) == 100
    for index, answer in enumerate(answers):
        name = f"task-{index}"
        if (name, "half") in injected:
            assert answer == "hit"
        elif (name, "late") in injected:
            assert isinstance(answer, ConnectionError)
        else:
            assert answer == name


def test_a_cancelled_call_is_not_held() -> None:
    async def forever() -> None:
        await asyncio.sleep(60)

    async def main() -> float:
        task = asyncio.create_task(wrap(forever, Fault.latency(30_000, when="after"))())
        await asyncio.sleep(0.01)
        begun = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.monotonic() - begun

    assert asyncio.run(main()) < 10


def test_keyboard_interrupt_ends_a_hold() -> None:
    import _thread
    import threading

    wrapped = wrap(double, Fault.latency(60_000))
    threading.Timer(0.05, _thread.interrupt_main).start()
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        wrapped(1)
    assert time.monotonic() - begun < 30


def matched(pattern: Any, *args: Any, context: Any = None, **fields: Any) -> bool:
    match = {"event": pattern} if context is None else {"context": pattern}
    wrapped: Any = wrap(lambda *args, **kwargs: "own", Fault.payload("hit", match=match, **fields))
    return bool(wrapped(*args, **({} if context is None else {"context": context})) == "hit")


def test_events_are_matched_as_python_has_them() -> None:
    class Words(dict[str, Any]):
        def __getitem__(self, key: str) -> Any:
            raise AssertionError("user code runs")

    assert matched({"a": ["x"]}, {"a": "x"})
    assert matched({"a": {"b": ["x"]}}, Words(a={"b": ("y", "x")}))
    assert matched({"a": [1]}, {"a": 1.0})
    assert not matched({"a": [1]}, {"a": True})
    assert matched({"a": [True]}, {"a": True})
    assert matched({"a": [None]}, {"a": None})
    assert matched({"a": [{"numeric": ["<", -5]}]}, {"a": -(10**5)})
    for value in (10**400, float("inf"), float("nan")):
        assert not matched({"a": [{"numeric": [">", 5]}]}, {"a": value})
    assert matched({"a": [{"exists": True}]}, {"a": 10**400})
    assert not matched({"a": [{"exists": True}]}, {"a": float("nan")})
    assert matched({"a": ["\ufffd!"]}, {"a": "\ud800!"})
    assert matched({"größe": ["日本 🦀"]}, {"größe": "日本 🦀"})
    assert not matched({"a": [{"exists": False}]}, "no object")
    assert not matched({"a": [{"exists": False}]})
    assert matched({"a": [{"exists": False}]}, {})


def test_contexts_are_matched() -> None:
    custom = SimpleNamespace(custom={"team": "red"}, env=None, client=None)
    context = SimpleNamespace(
        aws_request_id="one",
        client_context=custom,
        invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:hello:live",
    )
    assert matched({"client_context": {"custom": {"team": ["red"]}}}, context=context)
    assert not matched({"client_context": {"custom": {"team": ["blue"]}}}, context=context)
    assert matched({"alias": ["live"]}, context=context)
    assert matched({"cold_start": [True]}, context=context)
    assert not matched({"invocation": [2]}, context=context)


def test_corrupt_mangles_a_copy() -> None:
    kept = {"statusCode": 200, "body": "a text that is long enough to show it"}

    async def answer_async() -> Any:
        return kept

    for function in (lambda: kept, answer_async):
        answer: Any = called(wrap(function, Fault.corrupt()))
        assert list(answer) == ["statusCode", "body"]
        assert answer["body"] != kept["body"]
        assert kept["body"] == "a text that is long enough to show it"
        assert called(wrap(function, Fault.corrupt_body(None))) is None
    records: list[Record] = []
    for value in (5, None, b"bytes", {"body": 5}, ["text"], "\ud800"):
        assert wrap(lambda value: value, Fault.corrupt(), records=records)(value) is value
    assert {record["reason"] for record in records} == {"nothing_to_corrupt"}
    text: Any = wrap(str, Fault.corrupt())("a text that is long enough to show it")
    assert text != "a text that is long enough to show it"


def resident_mib() -> float:
    fields = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in fields if line.startswith("VmRSS"))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("fails", [False, True])
def test_memory_is_occupied_while_the_call_runs_and_free_after_it(fails: bool) -> None:
    def measure() -> float:
        if fails:
            raise KeyError(resident_mib())
        return resident_mib()

    before = resident_mib()
    wrapped = wrap(measure, Fault.memory(64))
    if fails:
        with pytest.raises(KeyError) as caught:
            wrapped()
        during = caught.value.args[0]
    else:
        during = wrapped()
    assert during - before > 60
    assert resident_mib() - before < 16


def test_cpu_burns_beside_the_call_and_ends_with_it() -> None:
    def measure() -> int:
        begun = time.process_time()
        while time.process_time() - begun < 0.02:
            time.sleep(0.005)
        return len(list(Path("/proc/self/task").iterdir()))

    before = len(list(Path("/proc/self/task").iterdir()))
    assert wrap(measure, Fault.cpu(60_000, threads=2))() == before + 2
    assert len(list(Path("/proc/self/task").iterdir())) == before
