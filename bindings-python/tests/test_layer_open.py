"""An error of ours never becomes the function's: with nothing left to load with, with what stands in modules replaced,
with memory short, a fault does what the plan says, or the original runs, once, and one record says why."""

from __future__ import annotations

import json
from typing import Any

import pytest
from conftest import Lambda
from test_layer_calls import NEVER

APP = """
import builtins, functools, importlib, json, os, resource, sys, time, types
CALLS = []
HELD = []
class OrderError(Exception):
    pass

def descriptors():
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    try:
        while True:
            HELD.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        pass

def boom(*args, **kwargs):
    raise RuntimeError("replaced by the function")

def modules():
    loads = json.loads
    # The client reads events with it.
    json.loads = lambda text, *args, **kwargs: loads(text, *args, **kwargs) if '"own"' in str(text) else boom()
    for module, names in (
        (builtins, "issubclass callable compile exec eval vars ConnectionError"),
        (importlib, "import_module"),
        (os, "_exit"),
        (time, "sleep monotonic"),
        (types, "FunctionType MethodType"),
        (functools, "wraps"),
    ):
        for name in names.split():
            setattr_(module, name, boom)
    for name in [name for name in sys.modules if name.startswith("faultlayer")]:
        del sys.modules[name]

setattr_ = setattr

def memory():
    with open("/proc/self/statm") as file:
        size = int(file.read().split()[0]) * resource.getpagesize()
    # The client starts a thread for an invocation, which wants 8 MiB of addresses.
    resource.setrlimit(resource.RLIMIT_AS, (size + (64 << 20), size + (64 << 20)))
    try:
        while True:
            HELD.append(bytearray(1 << 20))
    except MemoryError:
        del HELD[:12]

def handler(event, context):
    CALLS.append(event["own"])
    if event["own"] in ("descriptors", "modules", "memory"):
        globals()[event["own"]]()
    return {"body": "the handler's own answer, long enough to be mangled", "calls": len(CALLS)}
"""
LATER = {"context": {"invocation": [{"numeric": [">", 1]}]}}
FAULTS: dict[str, dict[str, Any]] = {
    "nothing drawn": {"kind": "exit", "rate": 1e-15},
    "latency": {"kind": "latency", "delay_ms": 5},
    "latency after": {"kind": "latency", "delay_ms": 5, "when": "after"},
    "error": {"kind": "error", "type": "ConnectionError", "message": "down"},
    "error of the function's": {"kind": "error", "type": "app.OrderError", "message": "down", "properties": {"a": 1}},
    "response": {"kind": "response", "status": 503},
    "payload after": {"kind": "response", "payload": {"a": [1]}, "when": "after"},
    "corrupt": {"kind": "corrupt"},
    "timeout": {"kind": "timeout"},
    "exit": {"kind": "exit", "code": 7},
    "disk": {"kind": "disk", "size_mib": 1},
    "memory": {"kind": "memory", "size_mib": 64},
    "cpu": {"kind": "cpu", "duration_ms": 1},
}


def variables(fault: dict[str, Any]) -> dict[str, str]:
    whole = {"id": "late", "rate": 1, "match": LATER, **fault}
    return {"FAULTLAYER_PLAN": json.dumps({**NEVER, "faults": [whole]})}


def told(answer: Any) -> str:
    """In a word, what the caller saw."""
    if answer.kind == "exit":
        return f"exit {answer.exit_status}"
    if answer.kind == "error":
        return f"{answer.json['errorType']}: {answer.json['errorMessage']}"
    if "calls" not in answer.json:
        return json.dumps(answer.json)
    return "own" if answer.json["body"].startswith("the handler's own answer, long enough to be m") else "mangled"


SEEN = {
    "error": "ConnectionError: down",
    "error of the function's": "OrderError: down",
    "response": '{"statusCode": 503, "headers": {}, "body": ""}',
    "payload after": '{"a": [1]}',
    "corrupt": "mangled",
    "exit": "exit 7",
}


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("gone", ["descriptors", "modules", "memory"])
def test_every_fault_does_what_the_plan_says_whatever_is_gone(one_function: Lambda, gone: str, kind: str) -> None:
    one_function.write("app.py", APP)
    with one_function.start(variables=variables(FAULTS[kind]), timeout_s=0.2) as environment:
        assert told(environment.invoke({"own": gone})) == "own"
        for _ in range(3):
            seen = told(environment.invoke({"own": "run"}))
            if kind == "timeout":
                assert seen.startswith("FaultInjected: Task timed out after")
            else:
                assert seen == SEEN.get(kind, "own")
            if kind == "exit":
                break
        environment.close()
        records = environment.records()
    assert not [record for record in records if record.get("reason") == "internal_error"]
    if kind != "nothing drawn":
        assert records
        assert {record["fault"] for record in records} == {"late"}


@pytest.mark.parametrize("gone", ["descriptors", "modules", "memory"])
def test_without_us_the_function_runs_under_the_same(one_function: Lambda, gone: str) -> None:
    one_function.write("app.py", APP)
    with one_function.start(layered=False) as environment:
        assert [told(environment.invoke({"own": own})) for own in (gone, "run", "run")] == ["own"] * 3


DECODER = """
import json
CALLS = []
class Decoder:
    def decode(self, text):
        if '"own"' in text:
            return {"own": "run"}
        raise RuntimeError("replaced by the function")

def handler(event, context):
    CALLS.append(1)
    json._default_decoder = Decoder()
    return {"calls": len(CALLS), "body": "own"}
"""


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "response", "payload": 5},
        {"kind": "response", "payload": 5, "when": "after"},
        {"kind": "error", "type": "ValueError"},
        {"kind": "error", "type": "ValueError", "when": "after"},
    ],
    ids=lambda fault: f"{fault['kind']} {fault.get('when', 'before')}",
)
def test_what_cannot_be_carried_out_lets_the_original_run_once_and_is_recorded_once(
    one_function: Lambda, fault: dict[str, Any]
) -> None:
    one_function.write("app.py", DECODER)
    with one_function.start(variables=variables(fault)) as environment:
        for call in (1, 2, 3):
            assert environment.invoke({"own": "run"}).json == {"calls": call, "body": "own"}
        environment.close()
        own = [record for record in environment.records() if "fault" not in record]
    assert [(record["reason"], record["level"]) for record in own] == [("internal_error", "ERROR")]
    assert own[0]["message"] == "a fault could not be carried out: RuntimeError: replaced by the function"
