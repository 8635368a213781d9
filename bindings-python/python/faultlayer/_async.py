"""Carries a session's steps out around an async call. Owns waiting and outcomes under a loop; decides nothing."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable
from typing import Any, NoReturn

from ._acting import make_error, make_timeout, thrower
from ._native import Session

_OWN = object()


async def drive(session: Session, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Awaits `function` between the steps of `session`, or does what stands in its place."""
    __tracebackhide__ = True
    try:
        stands = await _carry_out(session.before(), function)
        if stands is not _OWN:
            return stands
        try:
            answer = await function(*args, **kwargs)
        except (asyncio.CancelledError, GeneratorExit):
            # The caller gave up: no time may be taken from it now.
            raise
        except BaseException:
            await _carry_out(session.failed(), function)
            raise
        stands = await _carry_out(session.answered(answer), function, answer)
        return answer if stands is _OWN else stands
    finally:
        session.close()


async def _carry_out(text: str, function: Callable[..., Any], answer: Any = None) -> Any:
    __tracebackhide__ = True
    step = json.loads(text)
    await _hold(step["delay_us"])
    outcome = step["outcome"]
    if outcome == "error":
        _raise(function, make_error(step["type"], step["message"], json.dumps(step["properties"])))
    if outcome == "response":
        return step["answer"]
    if outcome == "exit":
        os._exit(step["code"])
    if outcome == "timeout":
        await _hold(step["hold_us"])
        _raise(function, make_timeout(step["message"]))
    if outcome == "corrupt":
        return {**answer, "body": step["text"]} if isinstance(answer, dict) else step["text"]
    return _OWN


def _raise(function: Callable[..., Any], error: BaseException) -> NoReturn:
    __tracebackhide__ = True
    try:
        thrower(function)(error)
    finally:
        # An own error that the handler left behind is not the cause of the injected one.
        error.__context__ = None


async def _hold(micros: int) -> None:
    """Never early: the loop's clock is coarser than the delay may be."""
    end = time.monotonic_ns() + micros * 1000
    while (left := end - time.monotonic_ns()) > 0:
        await asyncio.sleep(left / 1e9)
