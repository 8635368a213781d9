"""The library's own exceptions: one base, a stable `code` and the `path` of the field in each. Does not own the
injected ones (`_acting.FaultInjected` and whatever a plan names)."""

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


class TargetError(FaultlayerError):
    """What a scope was told to put faults around is not there. `path` is the target."""

    code = "target_missing"

    def __init__(self, message: str, path: str) -> None:
        super().__init__(message)
        self.path = path


_BY_CODE: dict[str, type[PlanError]] = {
    kind.code: kind for kind in (InvalidPlanError, MissingExpiryError, UnreadablePlanError)
}


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
