"""Events and contexts as Python has them, against patterns."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from faultlayer import Fault, wrap


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
