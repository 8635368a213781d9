"""`with faults(plan):` — a plan in force for a while, what it did, and whether it had a chance to. Owns opening,
closing and judging; targets are `_targets`', the wrappers `_wrap`'s."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import Token
from types import TracebackType
from typing import Any, TypeVar

from ._errors import NoChance, NoChanceError
from ._native import Calls, Host, Session
from ._plan import PlanLike
from ._records import Record, Records, Told, sink
from ._strict import checked
from ._targets import Target
from ._wrap import Active, around, in_context, in_contexts, in_process, look_at_calls

F = TypeVar("F", bound=Callable[..., Any])


class faults(Told):
    """A plan in force inside a `with` (or `async with`) block.

    It holds for every injection point (`@inject()`) that is called from the block, tasks that it starts among them, and
    for `targets`, which are replaced for everybody until the block ends: `"package.module.function"`,
    `"module.Class.method"`, or the function itself. With `everywhere=True` it holds for all injection points of the
    process, those that other threads call included.

    Faults in calls to AWS hit those that such a call makes. Without targets they also hit those that the block itself
    makes: the whole block is one call then.

        with faults(Fault.error("ConnectionError"), "app.fetch") as chaos:
            ...
        assert chaos.injected == ["error"]

    At its end the block raises `NoChanceError` if its faults never had a chance to fire: nothing that the plan is
    around was called while the plan's window was open. `strict=False` allows that.
    """

    def __init__(
        self,
        plan: PlanLike,
        *targets: str | Callable[..., Any],
        records: Records = None,
        everywhere: bool = False,
        strict: bool = True,
    ) -> None:
        self._records: list[Record] = []
        self._deliver = sink(records)
        self._given = targets
        self._everywhere = everywhere
        self.strict = strict
        self._open = False
        self._token: Token[Active | None] | None = None
        self._targets: list[Target] = []
        self._closed: list[Target] = []
        self._patched_over: list[str] = []
        self._missed: list[NoChance] = []
        # Set by wrappers: an injection point was called where this scope does not hold.
        self.called_elsewhere = False
        keep = sink(self._records)

        def both(line: str) -> None:
            keep(line)
            self._deliver(line)

        # The block itself, where it calls AWS.
        self._lock = threading.Lock()
        self._block: Session | None = None
        self._block_calls: Calls | None = None
        self._block_began = False
        self._host = Host(checked(plan, import_classes=True), both)
        self._look()

    @property
    def records(self) -> list[Record]:
        return self._records

    @property
    def no_chance(self) -> tuple[NoChance, ...]:
        """The faults that had no chance to fire so far, each with the reason."""
        return (*self._missed, *self._now_missed())

    def replace(self, plan: PlanLike) -> None:
        """Puts another plan in force, at once, also for calls under way. The old one is judged as it stands."""
        text, missed = checked(plan, import_classes=True), self._now_missed()
        self._end_block()
        self._host.replace(text)
        self._missed += missed
        self._look()

    def wrap(self, function: F) -> F:
        """`function` with this scope around it: faults while it is open, nothing before and after."""
        return around(function, self.hosts)

    def open_for(self, function: F) -> F:
        """`function` with this scope around it, and the scope open for it alone, until `close`."""
        self._open = True
        return self.wrap(function)

    def stood_before(self, other: faults) -> bool:
        """Around what `other` is around too, an outcome of this scope stood, so that `other` was never asked."""
        shared = not other._given or set(self._given) & set(other._given)
        return bool(shared) and any(
            record["action"] == "injected" and record["kind"] in ("error", "response", "timeout")
            for record in self.records
        )

    def open_targets(self) -> None:
        """Opens the scope for its targets, and for whoever asks it for its hosts."""
        if self._open:
            raise RuntimeError("the scope is open already")
        try:
            for given in self._given:
                target = Target(given)
                target.replace(around(target.function, self.hosts, method=target.is_method))
                self._targets.append(target)
        except BaseException:
            self._restore()
            raise
        self._open = True

    def hosts(self) -> tuple[Host, ...]:
        """For the wrappers: the host while the scope is open."""
        return (self._host,) if self._open else ()

    def own_calls(self) -> Calls | None:
        """For the hook: what calls to AWS ask that the block makes, outside any call that the plan is around."""
        if not self._open or self._given:
            return None
        with self._lock:
            if not self._block_began:
                self._block_began = True
                self._block = self._host.begin_calls()
                if self._block is not None:
                    self._block.before()
                    self._block_calls = self._block.calls()
            return self._block_calls

    def _look(self) -> None:
        if self._host.hits_aws_calls():
            look_at_calls()

    def _end_block(self) -> None:
        with self._lock:
            block, self._block, self._block_calls, self._block_began = self._block, None, None, False
        if block is not None:
            block.returned()
            block.close()

    def __enter__(self) -> faults:
        self.open_targets()
        if self._everywhere:
            in_process.append(self)
        else:
            self._token = in_context.set(self)
            in_contexts.append(self)
        if self._host.hits_connections():
            # Nobody tells when the block opens one.
            self.own_calls()
        return self

    def close(self) -> None:
        """Ends the scope, and does not judge it."""
        self._open = False
        for active in (in_process, in_contexts):
            if self in active:
                active.remove(self)
        if self._token is not None:
            in_context.reset(self._token)
            self._token = None
        self._end_block()
        self._restore()

    def judge(self) -> None:
        """Raises `NoChanceError` if the scope is strict and its faults had no chance."""
        __tracebackhide__ = True
        if self.strict and (missed := self.no_chance):
            raise NoChanceError(missed)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None
    ) -> None:
        __tracebackhide__ = True
        self.close()
        # The block's own error stands.
        if error is None:
            self.judge()

    async def __aenter__(self) -> faults:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None
    ) -> None:
        __tracebackhide__ = True
        self.__exit__(kind, error, stack)

    def _restore(self) -> None:
        for target in reversed(self._targets):
            if not target.restore():
                self._patched_over.append(target.name)
        self._closed, self._targets = self._targets, []

    def _now_missed(self) -> list[NoChance]:
        missed = enumerate(self._host.no_chance())
        return [NoChance(f"faults[{index}]", fault, *self._reason(reason)) for index, (fault, reason) in missed]

    def _reason(self, reason: str) -> tuple[str, str]:
        """The engine's reason, or a better one that only we know, in words."""
        if reason == "not_started":
            return reason, "every call came before the plan's `starts_at`"
        if reason == "expired":
            return reason, "every call came after the plan's `expires_at`"
        if self._patched_over:
            return (
                "patched_over",
                f"{_listed(self._patched_over)} was replaced by something else meanwhile, so the plan was gone",
            )
        if self.called_elsewhere:
            return "other_thread", "injection points were called in another thread or context only: say everywhere=True"
        targets = self._targets or self._closed
        if not targets:
            calls = " and no client of AWS's" if self._host.hits_aws_calls() else ""
            return reason, f"no injection point (`@inject()`){calls} was called"
        names = [name for target in targets for name in target.other_names()]
        hint = f"; {_listed(names[:3])} is the same function under another name, which is not replaced" if names else ""
        return reason, f"{_listed([target.name for target in targets])} was not called{hint}"


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
