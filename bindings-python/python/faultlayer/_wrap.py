"""`wrap` and `inject`: a plan around one callable, sync or async. Owns the wrappers; what is drawn is the engine's, and
what a fault is around a sync call is the native module's."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextvars import ContextVar
from types import MethodType
from typing import Any, Protocol, TypeVar, cast, overload

from ._async import drive
from ._calls import enter, leave, look
from ._native import Calls, Host
from ._plan import PlanLike
from ._records import Records, sink
from ._strict import checked

F = TypeVar("F", bound=Callable[..., Any])
Hosts = tuple[Host, ...]


class Active(Protocol):
    """A scope, as a wrapper sees it."""

    called_elsewhere: bool
    """An injection point was called where it does not hold."""

    def hosts(self) -> Hosts:
        """Its hosts while it is open, the outermost first."""

    def own_calls(self) -> Calls | None:
        """What calls to AWS ask that are made outside any call that it is around."""


# The innermost scope of this context, all that are open in some context, and those of the whole process.
in_context: ContextVar[Active | None] = ContextVar("faultlayer_scope", default=None)
in_contexts: list[Active] = []
in_process: list[Active] = []


def wrap(function: F, plan: PlanLike | None = None, *, records: Records = None) -> F:
    """`function` with `plan` around it; without a plan, an injection point for `with faults(plan)`.

    Sync and async callables stay what they are. A Lambda context (second argument) gives the request id and the
    deadline; other calls count as `call-1`, `call-2` and so on. What a method is called on is no argument.

    Raises `PlanError` where the plan does not hold.
    """
    if plan is None:
        return around(function, _active_hosts)
    hosts = (Host(checked(plan, import_classes=False), sink(records)),)
    if hosts[0].hits_aws_calls():
        look_at_calls()
    return around(function, lambda: hosts)


@overload
def inject(plan: F, /) -> F: ...
@overload
def inject(plan: PlanLike | None = None, *, records: Records = None) -> Callable[[F], F]: ...
def inject(plan: Any = None, *, records: Records = None) -> Any:
    """`wrap` as a decorator: `@inject(plan)`, or `@inject` (or `@inject()`) for an injection point."""
    if inspect.isroutine(plan):
        return wrap(plan)
    return lambda function: wrap(function, plan, records=records)


def around(function: F, hosts_of: Callable[[], Hosts], *, method: bool | None = None) -> F:
    """The wrapper, for whichever hosts are in force at each call.

    `method` says that the first argument is what it is called on; by default that is told from the function's name.
    """
    if not callable(function):
        raise TypeError(f"function: expected a callable, got `{function!r:.80}`")
    called_on = _is_receiver_of(function) if method is None else (_always if method else None)

    def under(hosts: Hosts, args: tuple[Any, ...]) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """What the outermost host is around, and the arguments that it sees."""
        inner: Callable[..., Any] = function
        if called_on is not None and args and called_on(args[0]):
            inner, args = MethodType(function, args[0]), args[1:]
        for host in reversed(hosts[1:]):
            inner = around(inner, _just(host), method=False)
        return inner, args

    if _is_async(function):

        async def call_async(*args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            hosts = hosts_of()
            if not hosts:
                return await function(*args, **kwargs)
            inner, args = under(hosts, args)
            session = hosts[0].begin(args, kwargs)
            if session is None:
                entered = enter(None)
                try:
                    return await inner(*args, **kwargs)
                finally:
                    leave(entered)
            return await drive(session, inner, args, kwargs)

        wrapper: Any = call_async
    else:

        def call(*args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            hosts = hosts_of()
            if not hosts:
                return function(*args, **kwargs)
            inner, args = under(hosts, args)
            return hosts[0].call(inner, args, kwargs)

        wrapper = call
    return cast(F, functools.wraps(function)(wrapper))


def _is_async(function: Callable[..., Any]) -> bool:
    # An object with an `async def __call__` is as async as a function.
    kind = type(function)
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(kind, "__call__", None))  # noqa: B004


def _is_receiver_of(function: Callable[..., Any]) -> Callable[[Any], bool] | None:
    """For a function that was written in the body of a class: whether a first argument is what it is called on, an
    object or a subclass of that class. `None` for all others."""
    owner, _, name = getattr(function, "__qualname__", "").rpartition(".")
    if not owner or owner.endswith("<locals>") or isinstance(function, (type, MethodType)):
        return None
    module = getattr(function, "__module__", None)

    def is_receiver(first: Any) -> bool:
        for kind in (first if isinstance(first, type) else type(first)).__mro__:
            if kind.__qualname__ == owner and kind.__module__ == module:
                return not isinstance(vars(kind).get(name), staticmethod)
        return False

    return is_receiver


def _just(host: Host) -> Callable[[], Hosts]:
    return lambda: (host,)


def _always(_: object) -> bool:
    return True


def look_at_calls() -> None:
    """A plan is about calls to AWS: the hook is put in."""
    look(_calls_outside)


def _calls_outside() -> Calls | None:
    scope = in_context.get()
    if scope is None or not scope.hosts():
        scope = in_process[-1] if in_process else None
    if scope is not None:
        return scope.own_calls()
    for elsewhere in tuple(in_contexts):
        elsewhere.called_elsewhere |= any(host.hits_aws_calls() for host in elsewhere.hosts())
    return None


def _active_hosts() -> Hosts:
    scope = in_context.get()
    hosts = scope.hosts() if scope is not None else ()
    if not hosts and in_process:
        hosts = in_process[-1].hosts()
    if not hosts:
        for elsewhere in tuple(in_contexts):
            elsewhere.called_elsewhere = True
    return hosts
