"""Calls to AWS: whose they are, by context. Owns that alone; the hook is the native module's, and which scope stands
for code outside any call `_wrap`'s."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from contextvars import ContextVar, Token
from typing import Literal

from ._native import Calls, Session, look_at_calls

Held = Calls | Literal[False] | None
# Of the innermost call that a plan is around: False where none of its faults waits for calls.
_held: ContextVar[Held] = ContextVar("faultlayer_calls", default=None)
_looking: list[bool] = []


def look(outside: Callable[[], Calls | None]) -> None:
    """Looks at calls to AWS from now on; `outside` says what those ask that are made outside any call of ours."""
    look_at_calls(_held, outside)
    _looking.append(True)


def enter(session: Session | None) -> Token[Held] | None:
    """A call begins, drawn for or not: until `leave` its calls are its own."""
    if not _looking:
        return None
    return _held.set((session.calls() if session is not None else None) or False)


def leave(entered: Token[Held] | None) -> None:
    if entered is not None:
        # A coroutine that is thrown away is closed wherever that happens, where there is nothing to set back.
        with contextlib.suppress(ValueError):
            _held.reset(entered)
