"""Invocations through the real client: what is injected is what the plan says, all else is as without the layer."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import botocore  # type: ignore[import-untyped]
import pytest
import requests
from conftest import Lambda
from interpreters import ROOT
from runtime_api import Answer

sys.path.insert(0, str(ROOT / "tests" / "vectors"))
from sampling import draw  # type: ignore[import-not-found]

NEVER = {"version": 1, "expires_at": "never"}
# One fault that is in force but is never drawn in a test: the wrapper is there and nothing fires.
WATCHING = {**NEVER, "faults": [{"id": "rare", "kind": "exit", "rate": 1e-15}]}


def plan(*faults: dict[str, Any], **fields: Any) -> dict[str, str]:
    listed = [{"id": f"fault-{index}", "rate": 1, **fault} for index, fault in enumerate(faults)]
    return {"FAULTLAYER_PLAN": json.dumps({**NEVER, **fields, "faults": listed})}


ANSWERS = """
import decimal, datetime
BIG = "x" * 5_000_000
ANSWERS = {
    "dict": {"statusCode": 200, "body": '{"a": 1}', "n": [1, 2.5, None, True]},
    "list": [1, "two", {"three": 3}],
    "str": "hello", "empty": "", "int": 7, "float": 1e300, "nan": float("nan"), "none": None, "bool": False,
    "bytes": b"\\x00\\xff raw", "non-ascii": {"größe": "日本 🦀"}, "decimal": decimal.Decimal("1.10"),
    "big": BIG, "tuple": (1, 2), "int keys": {1: 2}, "set": {1}, "date": datetime.date(2026, 1, 1),
    "surrogate": "\\ud800", "text body": {"body": "\\ud800"},
}
def handler(event, context):
    return ANSWERS[event] if event in ANSWERS else 1 / 0
async def coroutine(event, context):
    return 1
"""


def told(answer: Answer) -> tuple[Any, ...]:
    kept = ("content-type", "lambda-runtime-function-xray-error-cause", "lambda-runtime-function-error-type")
    return (answer.kind, answer.body, *(answer.headers.get(name) for name in kept))


@pytest.mark.parametrize("watching", [WATCHING, None], ids=["wrapper", "no wrapper"])
def test_answers_are_byte_identical(function: Lambda, watching: Any) -> None:
    function.write("app.py", ANSWERS)
    namespace: dict[str, Any] = {}
    exec(ANSWERS, namespace)
    variables = {"FAULTLAYER_PLAN": json.dumps(watching) if watching else None}
    with function.start(layered=False) as bare, function.start(variables=variables) as layered:
        for name in [*namespace["ANSWERS"], "an error"]:
            pair = [told(environment.invoke(name, request_id=f"id {name}")) for environment in (bare, layered)]
            assert pair[1] == pair[0], name


RAISING = """
import inspect, sys, traceback
class Mine(Exception):
    pass
def deep(event):
    if event == "group": raise BaseException("base")
    if event == "chain":
        try: {}["x"]
        except KeyError as error: raise Mine("größe 日本") from error
    if event == "exit": sys.exit(4)
    if event == "frames": return [frame.function for frame in inspect.stack()]
    raise Mine("mine", 2)
def handler(event, context):
    return deep(event)
"""


def test_errors_of_the_handler_keep_type_message_and_stack(function: Lambda) -> None:
    function.write("app.py", RAISING)
    with (
        function.start(layered=False) as bare,
        function.start(variables={"FAULTLAYER_PLAN": json.dumps(WATCHING)}) as watching,
        function.start(
            variables=plan({"kind": "latency", "delay_ms": 1}, {"kind": "latency", "delay_ms": 1, "when": "after"})
        ) as slow,
    ):
        for event in ("mine", "chain", "frames"):
            answers = [environment.invoke(event, request_id="one") for environment in (bare, watching, slow)]
            assert told(answers[1]) == told(answers[0])
            assert told(answers[2]) == told(answers[0])
        for event, status in (("exit", 4), ("group", 1)):
            ends = []
            for variables in ({}, {"FAULTLAYER_PLAN": json.dumps(WATCHING)}):
                with function.start(layered=bool(variables), variables=variables) as environment:
                    ends.append(environment.invoke(event).exit_status)
            assert ends == [status, status]


def test_a_coroutine_handler_fails_as_it_does_without_us(function: Lambda) -> None:
    function.write("app.py", ANSWERS)
    answers = []
    for options in ({"layered": False}, {"variables": {"FAULTLAYER_PLAN": json.dumps(WATCHING)}}):
        with function.start("app.coroutine", **options) as environment:
            answers.append(environment.invoke({}, request_id="one").json)
    assert [answer["errorType"] for answer in answers] == ["Runtime.MarshalError"] * 2
    assert answers[0]["errorMessage"] == answers[1]["errorMessage"]


HELLO = """
import os, time
os.environ["ALREADY"] = "1"
class OrderError(Exception):
    class Inner(ValueError):
        pass
class TwoArguments(Exception):
    def __init__(self, one, two):
        pass
class Slotted(Exception):
    __slots__ = ()
    @property
    def code(self):
        return "own"
no_exception = 5
CALLS = []
def decorate(function):
    return function

@decorate
def handler(event, context):
    \"\"\"Says hello.\"\"\"
    CALLS.append(event)
    print("the handler runs", flush=True)
    if event == "fail": raise OrderError("own")
    return {"calls": len(CALLS), "tmp": os.listdir("/proc/self/fd").__len__()}
"""


@pytest.mark.parametrize(
    ("fault", "kind", "message"),
    [
        ({"type": "ConnectionError", "message": "no größe"}, "ConnectionError", "no größe"),
        ({"type": "KeyError", "message": "k"}, "KeyError", "'k'"),
        ({"type": "app.OrderError", "message": "m"}, "OrderError", "m"),
        ({"type": "app.OrderError.Inner", "message": "m"}, "Inner", "m"),
        ({"type": {"python": "TimeoutError", "node": "x", "java": "y"}, "message": "m"}, "TimeoutError", "m"),
        ({"type": "json.JSONDecodeError", "message": "m"}, "FaultInjected", "json.JSONDecodeError: m"),
        ({"type": "app.TwoArguments", "message": "m"}, "FaultInjected", "app.TwoArguments: m"),
        ({"type": "app.no_exception", "message": "m"}, "FaultInjected", "app.no_exception: m"),
        ({"type": "nowhere.to.be.Found", "message": "m"}, "FaultInjected", "nowhere.to.be.Found: m"),
        ({"type": "int", "message": "m"}, "FaultInjected", "int: m"),
        ({"type": "OrderError", "message": "m"}, "FaultInjected", "OrderError: m"),
        ({"type": "app.Slotted", "message": "m", "properties": {"code": 5}}, "Slotted", "m"),
        ({"type": "asyncio.TimeoutError", "message": "m"}, "TimeoutError", "m"),
    ],
)
def test_an_error_is_the_class_that_the_plan_names(one_function: Lambda, fault: Any, kind: str, message: str) -> None:
    one_function.write("app.py", HELLO)
    with one_function.start(variables=plan({"kind": "error", **fault})) as environment:
        answer = environment.invoke({}, request_id="one")
        assert answer.kind == "error"
        assert (answer.json["errorType"], answer.json["errorMessage"]) == (kind, message)
        environment.close()
        assert "the handler runs" not in environment.log()


def test_an_error_has_the_stack_of_a_real_one(function: Lambda) -> None:
    function.write("app.py", HELLO)
    function.write("real.py", HELLO.replace("    CALLS.append(event)\n", '    raise ConnectionError("m")\n'))
    fault = {"kind": "error", "type": "ConnectionError", "message": "m"}
    with function.start(variables=plan(fault)) as faulty, function.start("real.handler", layered=False) as real:
        injected, raised = faulty.invoke({}, request_id="one"), real.invoke({}, request_id="one")
        same = [answer.body.decode().replace("real.py", "app.py") for answer in (injected, raised)]
        assert same[0].replace("CALLS.append(event)", 'raise ConnectionError(\\"m\\")') == same[1]
        assert injected.json["stackTrace"] == [
            f'  File "{function.code}/app.py", line 23, in handler\n    CALLS.append(event)\n'
        ]
        assert injected.cause["exceptions"][0]["stack"] == [
            {"label": "handler", "path": f"{function.code}/app.py", "line": 23}
        ]
        name = "lambda-runtime-function-error-type"
        assert injected.headers.get(name) == raised.headers.get(name)
        faulty.close()
        assert "faultlayer_layer" not in faulty.log()


def test_requests_errors_are_requests_errors(one_function: Lambda) -> None:
    path = str(Path(requests.__file__).parents[1])
    one_function.write("app.py", f"import sys\nsys.path.append({path!r})\n" + HELLO)
    with one_function.start(
        variables=plan({"kind": "error", "type": "requests.Timeout", "message": "m"})
    ) as environment:
        answer = environment.invoke({})
        assert (answer.json["errorType"], answer.json["errorMessage"]) == ("Timeout", "m")


def test_client_errors_carry_their_code(one_function: Lambda) -> None:
    fault = {
        "kind": "error",
        "type": "botocore.exceptions.ClientError",
        "message": "Rate exceeded",
        "properties": {"code": "ThrottlingException", "operation_name": "PutItem", "status": 429},
    }
    one_function.write("app.py", f"import sys\nsys.path.append({str(Path(botocore.__file__).parents[1])!r})\n" + HELLO)
    with one_function.start(variables=plan(fault)) as environment:
        answer = environment.invoke({})
        assert answer.json["errorType"] == "ClientError"
        assert answer.json["errorMessage"] == (
            "An error occurred (ThrottlingException) when calling the PutItem operation: Rate exceeded"
        )


def test_after_the_handler(function: Lambda) -> None:
    function.write("app.py", HELLO)
    fault = {"kind": "error", "type": "ValueError", "message": "late", "when": "after"}
    with function.start(variables=plan(fault)) as environment:
        answer = environment.invoke({})
        assert (answer.kind, answer.json["errorType"]) == ("error", "ValueError")
        answer = environment.invoke("fail")
        assert (answer.kind, answer.json["errorType"]) == ("error", "OrderError")
        environment.close()
        assert environment.log().count("the handler runs") == 2
        assert [(record["action"], record.get("reason")) for record in environment.records()] == [
            ("injected", None),
            ("skipped", "handler_failed"),
        ]


def test_a_response_stands_instead(function: Lambda) -> None:
    function.write("app.py", HELLO)
    http = {"kind": "response", "status": 503, "headers": {"a": "größe"}, "body": "busy 🦀"}
    with function.start(variables=plan(http)) as environment:
        answer = environment.invoke({})
        assert answer.kind == "response"
        assert answer.json == {"statusCode": 503, "headers": {"a": "größe"}, "body": "busy 🦀"}
        assert list(answer.json) == ["statusCode", "headers", "body"]
    payload: Any
    for payload in (None, 5, 1.5, "text", [], {"b": 1, "a": None}):
        with function.start(variables=plan({"kind": "response", "payload": payload, "when": "after"})) as environment:
            assert environment.invoke({}).json == payload


@pytest.mark.parametrize("when", ["before", "after"])
def test_exit_ends_the_process_as_a_crash(function: Lambda, when: str) -> None:
    function.write("app.py", "import atexit\natexit.register(print, 'atexit ran')\n" + HELLO)
    with function.start(variables=plan({"kind": "exit", "code": 7, "when": when})) as environment:
        answer = environment.invoke({})
        assert (answer.kind, answer.exit_status) == ("exit", 7)
        environment.close()
        assert "atexit" not in environment.log()
        assert ("the handler runs" in environment.log()) == (when == "after")
        [record] = environment.records()
        assert (record["kind"], record["action"], record["code"]) == ("exit", "injected", 7)


def test_timeout_holds_until_a_second_past_the_deadline_and_raises(function: Lambda) -> None:
    function.write("app.py", HELLO)
    with function.start(variables=plan({"kind": "timeout"}), timeout_s=0.5) as environment:
        before = time.time()
        answer = environment.invoke({}, deadline_ms=int(before * 1000) + 500)
        assert time.time() - before >= 1.5
        assert answer.json["errorType"] == "FaultInjected"
        assert answer.json["errorMessage"].startswith("Task timed out after ")
        assert answer.json["stackTrace"][0].startswith(f'  File "{function.code}/app.py"')


def test_a_delay_is_held_and_lets_other_threads_run(function: Lambda) -> None:
    function.write(
        "app.py",
        "import threading, time\n"
        "TICKS = []\n"
        "def tick():\n"
        "    while True:\n"
        "        TICKS.append(time.monotonic())\n"
        "        time.sleep(0.005)\n"
        "threading.Thread(target=tick, daemon=True).start()\n"
        "def handler(event, context):\n"
        "    return {'at': time.time(), 'ticks': len(TICKS)}\n",
    )
    with function.start(variables=plan({"kind": "latency", "delay_ms": 300})) as environment:
        before = time.time()
        answer = environment.invoke({}).json
        assert answer["at"] - before >= 0.300
        assert answer["ticks"] >= 5
        environment.close()
        [record] = environment.records()
        assert record["delay_ms"] == 300


def test_a_signal_handler_of_the_function_runs_during_a_delay(one_function: Lambda) -> None:
    one_function.write(
        "app.py",
        "import os, signal, sys\n"
        "def stop(*_):\n"
        "    print('stopped in good order', flush=True)\n"
        "    os._exit(9)\n"
        "signal.signal(signal.SIGTERM, stop)\n"
        "def handler(event, context):\n"
        "    return 1\n",
    )
    with one_function.start(variables=plan({"kind": "latency", "delay_ms": 60_000}), timeout_s=900) as environment:
        environment.send({})
        while not environment.records():
            time.sleep(0.01)
        environment.process.terminate()
        assert environment.answer().exit_status == 9
        environment.close()
        assert "stopped in good order" in environment.log()


ONE = {"version": 1, "faults": [{"id": "a", "kind": "exit", "rate": 1}]}
OWN_RECORDS: dict[str, tuple[dict[str, str], str, str]] = {
    "no plan": ({}, "plan_missing", "INFO"),
    "garbage": ({"FAULTLAYER_PLAN": "{nonsense"}, "plan_invalid", "ERROR"),
    "problems": ({"FAULTLAYER_PLAN": json.dumps({**NEVER, "faults": [{"x": 1}]})}, "plan_invalid", "ERROR"),
    "missing file": ({"FAULTLAYER_PLAN": "file:/nowhere/plan.json"}, "plan_unreadable", "ERROR"),
    "unknown source": ({"FAULTLAYER_PLAN": "ssm:/plan"}, "plan_source_unknown", "ERROR"),
    "no expiry": ({"FAULTLAYER_PLAN": json.dumps(ONE)}, "plan_without_expiry", "ERROR"),
    "expired": (
        {"FAULTLAYER_PLAN": json.dumps({**ONE, "expires_at": "2020-01-01T00:00:00Z"})},
        "plan_expired",
        "INFO",
    ),
    "disabled": ({**plan({"kind": "exit"}), "FAULTLAYER_DISABLED": "1"}, "disabled", "INFO"),
}


@pytest.mark.parametrize("case", OWN_RECORDS)
def test_what_is_wrong_with_a_plan_never_touches_the_function(function: Lambda, case: str) -> None:
    variables, reason, level = OWN_RECORDS[case]
    function.write("app.py", HELLO)
    with function.start(variables=variables) as environment:
        for call in (1, 2, 3):
            assert environment.invoke({}).json["calls"] == call
        environment.close()
        [record] = environment.records()
        assert (record["reason"], record["level"]) == (reason, level)
        assert "fault" not in record


def test_where_nothing_can_fire_the_client_gets_the_original_itself(
    function: Lambda, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A fault about a host can fire.
    monkeypatch.delenv("FAULTLAYER_TESTS_NOBODY", raising=False)
    function.write(
        "app.py",
        "import faultlayer_layer\n\n\ndef handler(event, context):\n    return faultlayer_layer.handler is handler\n",
    )
    idle = {"FAULTLAYER_PLAN": json.dumps({**NEVER, "faults": [{"id": "a", "kind": "exit", "rate": 0}]})}
    for variables, original in ((idle, True), ({}, True), ({"FAULTLAYER_PLAN": json.dumps(WATCHING)}, False)):
        with function.start(variables=variables) as environment:
            assert environment.invoke({}).json is original


def test_sampling_follows_the_published_definition(one_function: Lambda) -> None:
    one_function.write("app.py", HELLO)
    variables = plan({"id": "half", "kind": "response", "rate": 0.5, "payload": "drawn"}, seed=7)
    with one_function.start(variables=variables) as environment:
        for index in range(100):
            drawn = environment.invoke({}, request_id=f"request-{index}").json == "drawn"
            assert drawn == (draw(7, "half", f"request-{index}") < 0.5)
        environment.close()
        records = environment.records()
        assert all(record["sample"] == draw(7, "half", record["requestId"]) for record in records)


def test_attempts_of_one_request_have_their_own_fates(one_function: Lambda) -> None:
    one_function.write("app.py", HELLO)
    fault = {"id": "half", "kind": "response", "rate": 0.5, "payload": "drawn", "sample_by": "attempt"}
    with one_function.start(variables=plan(fault)) as environment:
        start = int(time.time() * 1000) + 10_000
        for deadline in range(start, start + 40):
            drawn = environment.invoke({}, request_id="same", deadline_ms=deadline).json == "drawn"
            assert drawn == (draw(0, "half", f"same@{deadline}") < 0.5)
