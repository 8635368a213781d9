"""`wrap` and `inject`: a plan around one callable, sync or async. Owns the wrappers; what is drawn is the engine's, and
what a fault is around a sync call is the native module's."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Protocol, TypeVar, cast

from ._async import drive
from ._native import Host
from ._plan import PlanLike, to_json
from ._records import Records, sink

F = TypeVar("F", bound=Callable[..., Any])


class Active(Protocol):
    """A scope, as a wrapper sees it."""

    def current_host(self) -> Host | None:
        """Its host while it is open."""


# The innermost scope of this context, and the one of the whole process.
in_context: ContextVar[Active | None] = ContextVar("faultlayer_scope", default=None)
in_process: list[Active] = []


def wrap(function: F, plan: PlanLike | None = None, *, records: Records = None) -> F:
    """`function` with `plan` around it; without a plan, an injection point for `with faults(plan)`.

    Sync and async callables stay what they are. A Lambda context (second argument) gives the request id and the
    deadline; other calls count as `call-1`, `call-2` and so on.

    Raises `PlanError` where the plan does not hold.
    """
    if plan is None:
        return around(function, _active_host)
    host = Host(to_json(plan), sink(records))
    return around(function, lambda: host)


def inject(plan: PlanLike | None = None, *, records: Records = None) -> Callable[[F], F]:
    """`wrap` as a decorator: `@inject(plan)`, or `@inject()` for an injection point."""
    return lambda function: wrap(function, plan, records=records)


def around(function: F, host_of: Callable[[], Host | None]) -> F:
    """The wrapper, for whichever host is in force at each call."""
    if not callable(function):
        raise TypeError(f"function: expected a callable, got `{function!r:.80}`")
    if _is_async(function):

        async def call_async(*args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            host = host_of()
            session = host.begin(args, kwargs) if host is not None else None
            if session is None:
                return await function(*args, **kwargs)
            return await drive(session, function, args, kwargs)

        wrapper: Any = call_async
    else:

        def call(*args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            host = host_of()
            return function(*args, **kwargs) if host is None else host.call(function, args, kwargs)

        wrapper = call
    return cast(F, functools.wraps(function)(wrapper))


def _is_async(function: Callable[..., Any]) -> bool:
    # An object with an `async def __call__` is as async as a function.
    kind = type(function)
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(kind, "__call__", None))  # noqa: B004


def _active_host() -> Host | None:
    scope = in_context.get()
    host = scope.current_host() if scope is not None else None
    if host is None and in_process:
        host = in_process[-1].current_host()
    return host
