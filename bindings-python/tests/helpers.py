"""Callables that tests put plans around."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

from faultlayer import Fault

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
