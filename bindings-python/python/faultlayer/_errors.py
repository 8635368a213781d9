"""The library's own exceptions: one base, a stable `code` and the `path` of the field in each. Does not own the
injected ones (`FaultInjected` and whatever a plan names)."""

from __future__ import annotations

import json
from typing import NamedTuple


class Problem(NamedTuple):
    """One thing that is wrong with a plan."""

    code: str
    """A stable name: `out_of_range`, `unknown_field` …"""
    path: str
    """Where: `faults[2].rate`; empty for the plan as a whole."""
    value: str | None
    """What stands there, as JSON, shortened; None where nothing stands."""
    expected: str
    """What is allowed."""


class FaultlayerError(Exception):
    """The base of all exceptions of Faultlayer's own, in contrast to injected ones."""

    code: str = "faultlayer_error"
    """Stable, the same in every language."""
    path: str = ""
    """The field it is about; empty for none."""


class PlanError(FaultlayerError):
    """A plan that cannot be used. Its text lists all problems, one a line."""

    code = "plan_invalid"
    problems: tuple[Problem, ...] = ()

    def __init__(self, message: str, path: str = "", problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(message)
        self.path = path
        self.problems = problems


class InvalidPlanError(PlanError):
    """The plan was read, but it does not hold."""


class MissingExpiryError(PlanError):
    """The plan does not say when it ends; `"expires_at": "never"` must be said."""

    code = "plan_without_expiry"


class UnreadablePlanError(PlanError):
    """The plan's file could not be read."""

    code = "plan_unreadable"


class UnknownErrorTypeError(PlanError):
    """The plan names a class of errors that is not there. In a layer that fault would be a `FaultInjected`."""

    code = "unknown_error_type"


class NoChance(NamedTuple):
    """A fault that never had a chance to fire."""

    path: str
    """Where it stands in the plan: `faults[0]`."""
    fault: str
    """Its id."""
    reason: str
    """`not_called`, `not_started`, `expired`, `other_thread` or `patched_over`."""
    why: str
    """The reason in words, with what to do."""


class NoChanceError(FaultlayerError, AssertionError):
    """The faults of a scope or a marker never had a chance to fire: the test would have passed without them.

    A fault has its chance when something that the plan is around is called while its window is open. What `match`,
    `rate` and limits say then is the plan at work. `strict=False` takes a scope or marker out of this.
    """

    code = "no_chance"

    def __init__(self, missed: tuple[NoChance, ...]) -> None:
        lines = (f"{path}: `{fault}` had no chance to fire: {reason}, {why}" for path, fault, reason, why in missed)
        super().__init__("\n".join([*lines, "strict=False allows that"]))
        self.missed = missed
        self.path, self.fault, self.reason, _ = missed[0]


class EventLoopError(FaultlayerError):
    """A delay of an async call under an event loop that is neither asyncio's nor trio's."""

    code = "event_loop_unknown"
    path = "delay_ms"


class TargetError(FaultlayerError):
    """What a scope was told to put faults around is not there, or cannot be replaced. `path` is the target."""

    code = "target_missing"

    def __init__(self, message: str, path: str) -> None:
        super().__init__(message)
        self.path = path


_BY_CODE: dict[str, type[PlanError]] = {
    kind.code: kind for kind in (InvalidPlanError, MissingExpiryError, UnreadablePlanError)
}


def unknown_type(name: str, path: str = "type") -> UnknownErrorTypeError:
    """The exception for a class that is not there."""
    expected = "a built-in exception or the dotted path of an exception class"
    problem = Problem("unknown_error_type", path, json.dumps(name), expected)
    return UnknownErrorTypeError(f"{path}: expected {expected}, got `{name}`", path, (problem,))


def from_json(text: str) -> PlanError:
    """The exception for a plan error as the engine tells it."""
    told = json.loads(text)
    problems = tuple(
        Problem(problem["code"], problem["path"], problem.get("value"), problem["expected"])
        for problem in told["problems"]
    )
    error = _BY_CODE.get(told["code"], InvalidPlanError)(told["message"], told["path"], problems)
    error.code = told["code"]
    return error
