"""Carries a session's steps out around an async call. Owns outcomes under a loop; decides nothing, `_alarm` waits."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from ._alarm import hold
from ._calls import enter, leave
from ._native import Session, error, timeout

_OWN = object()


async def drive(session: Session, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Awaits `function` between the steps of `session`, or does what stands in its place."""
    __tracebackhide__ = True
    try:
        stands = await _carry_out(session.before(), function)
        if stands is not _OWN:
            return stands
        entered = enter(session)
        try:
            answer = await function(*args, **kwargs)
        except BaseException as own:
            leave(entered)
            # The caller gave up: no time may be taken from it now.
            if not _is_cancellation(own):
                await _carry_out(session.failed(), function)
            raise
        leave(entered)
        stands = await _carry_out(session.answered(answer), function, answer)
        return answer if stands is _OWN else stands
    finally:
        session.close()


def _is_cancellation(own: BaseException) -> bool:
    trio = sys.modules.get("trio")
    return isinstance(own, (asyncio.CancelledError, GeneratorExit)) or (
        trio is not None and isinstance(own, trio.Cancelled)
    )


async def _carry_out(text: str, function: Callable[..., Any], answer: Any = None) -> Any:
    __tracebackhide__ = True
    step = json.loads(text)
    await hold(step["delay_us"])
    outcome = step["outcome"]
    if outcome == "error":
        _raise(error(function, step["type"], step["message"], json.dumps(step["properties"])))
    if outcome == "response":
        return step["answer"]
    if outcome == "exit":
        os._exit(step["code"])
    if outcome == "timeout":
        await hold(step["hold_us"])
        _raise(timeout(function, step["message"]))
    if outcome == "corrupt":
        return {**answer, "body": step["text"]} if isinstance(answer, dict) else step["text"]
    return _OWN


def _raise(injected: BaseException) -> NoReturn:
    __tracebackhide__ = True
    try:
        raise injected
    finally:
        # An own error that the handler left behind is not the cause of the injected one.
        injected.__context__ = None
