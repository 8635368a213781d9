"""The shared vectors through the binding: the same steps, the same record lines, the same problems, byte for byte."""

from __future__ import annotations

import json
from typing import Any

import pytest
from faultlayer._errors import PlanError
from faultlayer._native import Host
from interpreters import ROOT

VECTORS = ROOT / "tests" / "vectors"


def as_binary64(text: str) -> Any:
    """JSON as the file of vectors keeps it: one number, however it was kept."""
    return json.loads(text, parse_int=float)


MADE = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(VECTORS.glob("*.json"))}
DECISIONS = [
    pytest.param(case, kept["expect"], id=f"{path.stem}: {case['name']}")
    for path in sorted(VECTORS.glob("decisions*.json"))
    for case, kept in zip(MADE[path.stem], as_binary64(path.read_text(encoding="utf-8")), strict=True)
]


def text(value: Any) -> str:
    return value if isinstance(value, str) else dump(value)


def dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def test_the_vectors_are_there() -> None:
    assert len(DECISIONS) >= 50
    assert len(MADE["refusals"]) >= 10


@pytest.mark.parametrize("objects", [False, True], ids=["events as JSON", "events as objects"])
@pytest.mark.parametrize(("case", "kept"), DECISIONS)
def test_decisions(case: Any, kept: Any, objects: bool) -> None:
    records: list[str] = []
    host = Host(text(case["plan"]), records.append, language=case["language"], identity=case.get("identity") or {})
    for call, expect, raw in zip(case["calls"], case["expect"], kept, strict=True):
        event, client_context = call.get("event"), call.get("client_context")
        session = host.decide(
            call["request_id"],
            deadline_ms=call.get("deadline_ms"),
            function_arn=call.get("function_arn"),
            client_context=None if client_context is None else dump(client_context),
            event=None if "event" not in call else event if objects else dump(event).encode(),
            streaming=call.get("streaming") is True,
            now_us=call.get("now_us"),
        )
        steps: list[str] | None = None
        borders: list[dict[str, Any]] = []
        if session is not None:
            steps = [session.before()]
            names = ("index", "after_bytes", "after_ms")
            borders = [dict(zip(names, border, strict=True)) for border in session.borders()]
            for then in call["then"]:
                [(how, told)] = then.items()
                if how == "returned":
                    steps.append(session.returned(told["text"], told["now_us"]))
                elif how == "failed":
                    steps.append(session.failed(told["now_us"]))
                elif how == "chunk":
                    steps.append(session.chunk(told["text"], told["now_us"]))
                else:
                    assert how == "reached"
                    steps.append(session.reached(told["border"], told["now_us"]))
            session.close()
        assert dump(steps and [as_binary64(step) for step in steps]) == dump(raw["steps"])
        assert borders == expect["borders"]
        assert records == expect["records"]
        records.clear()


@pytest.mark.parametrize("case", MADE["calls"], ids=lambda case: case["name"])
def test_calls(case: Any) -> None:
    records: list[str] = []
    host = Host(text(case["plan"]), records.append)
    session = host.decide(case["request_id"], deadline_ms=case["deadline_ms"], now_us=case["now_us"])
    assert session is not None
    session.before()
    calls = session.calls() if case["carries_calls"] else None
    for request, expect in zip(case["requests"], case["expect"]["met"], strict=True):
        assert calls is not None
        delay_us, answer = calls.met(**{**request, "body": request["body"].encode()})
        assert delay_us == expect["delay_us"]
        if answer is None:
            assert expect["answer"] is None
            continue
        status, headers, body = answer
        told = expect["answer"]
        sent = bytes.fromhex(told["body_hex"]) if "body_hex" in told else told["body"].encode()
        assert (status, dict(headers), body) == (told["status"], told["headers"], sent)
    end = case["end"]
    session.failed(end["now_us"]) if end["how"] == "failed" else session.returned(None, end["now_us"])
    session.close()
    assert records == case["expect"]["records"]


@pytest.mark.parametrize("case", MADE["refusals"], ids=lambda case: case["name"])
def test_refusals(case: Any) -> None:
    if case["expect"] is None:
        Host(text(case["plan"]), print)
        return
    with pytest.raises(PlanError) as caught:
        Host(text(case["plan"]), print)
    error = caught.value
    assert (error.code, error.path, str(error)) == tuple(case["expect"][key] for key in ("code", "path", "message"))
    problems = [
        {key: value for key, value in problem._asdict().items() if value is not None} for problem in error.problems
    ]
    assert problems == case["expect"]["problems"]


@pytest.mark.parametrize("case", MADE["matching"], ids=lambda case: f"{case['name']}: {dump(case['event'])[:40]}")
def test_matching(case: Any) -> None:
    fault = {"id": "a", "kind": "response", "rate": 1, "match": {"event": case["pattern"]}}
    plan = dump({"version": 1, "expires_at": "never", "faults": [fault]})
    if isinstance(case["expect"], dict):
        with pytest.raises(PlanError) as caught:
            Host(plan, id)
        assert caught.value.path == case["expect"]["refused"].replace("pattern", "faults[0].match.event", 1)
        return
    host = Host(plan, id)
    for event in (case["event"], dump(case["event"]).encode()):
        assert (host.decide("one", event=event) is not None) is case["expect"]
