"""`with faults(plan):` — a plan in force for a while, and what it did. Owns opening, closing and patching targets; the
wrappers are `_wrap`'s."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from contextvars import Token
from types import TracebackType
from typing import Any, TypeVar

from ._errors import TargetError
from ._native import Host
from ._plan import PlanLike, to_json
from ._records import Record, Records, Told, sink
from ._wrap import Active, around, in_context, in_process

F = TypeVar("F", bound=Callable[..., Any])
_MISSING = object()


class faults(Told):
    """A plan in force inside a `with` (or `async with`) block.

    It holds for every injection point (`@inject()`) that is called from the block, tasks that it starts among them, and
    for `targets`: callables named as `"package.module.function"` or `"module.Class.method"`, which are replaced for
    everybody until the block ends. With `everywhere=True` it holds for all injection points of the process, those that
    other threads call included.

        with faults(Fault.error("ConnectionError"), "app.fetch") as chaos:
            ...
        assert chaos.injected == ["error"]
    """

    def __init__(self, plan: PlanLike, *targets: str, records: Records = None, everywhere: bool = False) -> None:
        self._records: list[Record] = []
        self._deliver = sink(records)
        self._targets = targets
        self._everywhere = everywhere
        self._open = False
        self._token: Token[Active | None] | None = None
        self._patched: list[tuple[Any, str, Any]] = []
        keep = sink(self._records)

        def both(line: str) -> None:
            keep(line)
            self._deliver(line)

        self._host = Host(to_json(plan), both)

    @property
    def records(self) -> list[Record]:
        return self._records

    def replace(self, plan: PlanLike) -> None:
        """Puts another plan in force, at once, also for calls that are under way."""
        self._host.replace(to_json(plan))

    def wrap(self, function: F) -> F:
        """`function` with this scope around it: faults while it is open, nothing before and after."""
        return around(function, self.current_host)

    def open_for(self, function: F) -> F:
        """`function` with this scope around it, and the scope open for it alone, until `close`."""
        self._open = True
        return self.wrap(function)

    def current_host(self) -> Host | None:
        """For the wrappers: the host while the scope is open."""
        return self._host if self._open else None

    def __enter__(self) -> faults:
        if self._open:
            raise RuntimeError("the scope is open already")
        try:
            for target in self._targets:
                self._patch(target)
        except BaseException:
            self._unpatch()
            raise
        self._open = True
        if self._everywhere:
            in_process.append(self)
        else:
            self._token = in_context.set(self)
        return self

    def close(self) -> None:
        """Ends the scope, as leaving the block does."""
        self._open = False
        if self in in_process:
            in_process.remove(self)
        if self._token is not None:
            in_context.reset(self._token)
            self._token = None
        self._unpatch()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> faults:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None
    ) -> None:
        self.close()

    def _patch(self, target: str) -> None:
        owner, name = _owner(target)
        try:
            found = inspect.getattr_static(owner, name)
        except AttributeError as error:
            raise TargetError(f"targets: expected something callable, got `{target}` ({error})", target) from error
        kind = type(found) if isinstance(found, (staticmethod, classmethod)) else None
        function = found.__func__ if kind else getattr(owner, name)
        if not callable(function):
            raise TargetError(f"targets: expected something callable, got `{target}`", target)
        wrapped: Any = self.wrap(function)
        # What stood in the object's own namespace comes back; what was inherited is only uncovered.
        self._patched.append((owner, name, vars(owner).get(name, _MISSING)))
        setattr(owner, name, kind(wrapped) if kind else wrapped)

    def _unpatch(self) -> None:
        while self._patched:
            owner, name, before = self._patched.pop()
            if before is _MISSING:
                delattr(owner, name)
            else:
                setattr(owner, name, before)


def _owner(target: str) -> tuple[Any, str]:
    """The module or class that holds the target, and the target's name in it."""
    parts = target.split(".")
    for end in range(len(parts) - 1, 0, -1):
        try:
            owner: Any = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError as error:
            if error.name is not None and ".".join(parts[:end]).startswith(error.name):
                continue
            raise
        for part in parts[end:-1]:
            owner = getattr(owner, part, None)
        return owner, parts[-1]
    raise TargetError(f"targets: expected `module.name` of something callable, got `{target}`", target)
