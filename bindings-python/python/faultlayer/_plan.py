"""Plans as Python people write them: a typed builder, and every form that is taken for a plan. Owns spelling only: what
a plan may say, and every default of it, is the engine's."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from ._errors import InvalidPlanError, Problem, UnreadablePlanError

if TYPE_CHECKING:
    from typing_extensions import Unpack

When = Literal["before", "during", "after"]
Delay = float | Mapping[str, Mapping[str, float]]
Calls = Literal["all"] | Mapping[str, float]
ErrorType = str | type[BaseException] | Mapping[str, str | type[BaseException]]
Rate = float | Mapping[str, Sequence[Mapping[str, float]]]


class Common(TypedDict, total=False):
    """What every fault takes beside its own options."""

    id: str
    """Its name in records; the kind if left out."""
    rate: Rate
    """From 0 to 1, or steps; 1 if left out."""
    match: Mapping[str, Any]
    """`{"event": PATTERN, "context": PATTERN}`."""
    limit: int
    """At most so many injections."""
    sample_by: Literal["request", "attempt"]


class Timed(Common, total=False):
    """What faults take that can come before, during or after the handler."""

    when: When
    after_bytes: int
    after_ms: float


class Fault:
    """One fault of a plan, by kind: `Fault.latency(250)`, `Fault.error("ConnectionError", rate=0.1)`."""

    __slots__ = ("fields",)

    def __init__(self, kind: str, **fields: Any) -> None:
        self.fields: dict[str, Any] = {"kind": kind, **fields}

    def __repr__(self) -> str:
        return f"Fault({', '.join(f'{key}={value!r}' for key, value in self.fields.items())})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fault) and self.fields == other.fields

    __hash__ = None  # type: ignore[assignment]

    # <builders> written by core/tests/builders.rs, FAULTLAYER_BLESS=1
    @classmethod
    def latency(cls, delay_ms: Delay, **common: Unpack[Timed]) -> Fault:
        """Holds the invocation, then goes on."""
        return cls("latency", delay_ms=delay_ms, **common)

    @classmethod
    def error(
        cls,
        type: ErrorType,
        message: str | None = None,
        properties: Mapping[str, Any] | None = None,
        **common: Unpack[Timed],
    ) -> Fault:
        """Raises an error of a named class."""
        return cls("error", type=type, **_given(message=message, properties=properties), **common)

    @classmethod
    def response(
        cls,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        body: str | None = None,
        **common: Unpack[Timed],
    ) -> Fault:
        """Answers instead of the handler: an HTTP status with headers and body, or any JSON."""
        return cls("response", **_given(status=status, headers=headers, body=body), **common)

    @classmethod
    def payload(cls, payload: Any, **common: Unpack[Timed]) -> Fault:
        """The answer as it stands, instead of an HTTP answer."""
        return cls("response", payload=payload, **common)

    @classmethod
    def exit(cls, code: int | None = None, **common: Unpack[Timed]) -> Fault:
        """Ends the process at once, as a crash does."""
        return cls("exit", **_given(code=code), **common)

    @classmethod
    def timeout(cls, **common: Unpack[Timed]) -> Fault:
        """Holds until the function's timeout has passed."""
        return cls("timeout", **common)

    @classmethod
    def corrupt(cls, **common: Unpack[Common]) -> Fault:
        """Damages the handler's answer: replaces it, or mangles its text at drawn places."""
        return cls("corrupt", **common)

    @classmethod
    def corrupt_body(cls, body: Any, **common: Unpack[Common]) -> Fault:
        """Replaces the answer as it stands, `null` included."""
        return cls("corrupt", body=body, **common)

    @classmethod
    def disk(cls, size_mib: int, **common: Unpack[Common]) -> Fault:
        """Fills `/tmp` by so much while the handler runs."""
        return cls("disk", size_mib=size_mib, **common)

    @classmethod
    def memory(cls, size_mib: int, **common: Unpack[Common]) -> Fault:
        """Occupies so much memory while the handler runs."""
        return cls("memory", size_mib=size_mib, **common)

    @classmethod
    def cpu(cls, duration_ms: float, threads: int | None = None, **common: Unpack[Common]) -> Fault:
        """Burns CPU beside the handler."""
        return cls("cpu", duration_ms=duration_ms, **_given(threads=threads), **common)

    @classmethod
    def aws_call(
        cls,
        target: Mapping[str, Any],
        error: str | None = None,
        *,
        status: int | None = None,
        message: str | None = None,
        delay_ms: Delay | None = None,
        calls: Calls | None = None,
        **common: Unpack[Common],
    ) -> Fault:
        """Answers calls to AWS with an error, or delays them."""
        return cls(
            "aws_call",
            target=target,
            **_given(error=error, status=status, message=message, delay_ms=delay_ms, calls=calls),
            **common,
        )

    @classmethod
    def network(
        cls,
        target: Mapping[str, Any],
        effect: str,
        *,
        delay_ms: Delay | None = None,
        kib_per_s: float | None = None,
        after_bytes: int | None = None,
        answer: str | None = None,
        calls: Calls | None = None,
        **common: Unpack[Common],
    ) -> Fault:
        """Refuses, cuts off, resets or slows down connections, or keeps names from being resolved."""
        return cls(
            "network",
            target=target,
            effect=effect,
            **_given(delay_ms=delay_ms, kib_per_s=kib_per_s, after_bytes=after_bytes, answer=answer, calls=calls),
            **common,
        )

    # </builders>


class Plan:
    """A whole plan, built: `Plan(Fault.latency(250), seed=7)`. It never expires unless told so."""

    __slots__ = ("fields",)

    def __init__(
        self,
        *faults: Fault | Mapping[str, Any],
        seed: int | None = None,
        experiment: str | None = None,
        starts_at: str | datetime | None = None,
        expires_at: str | datetime = "never",
        dry_run: bool | None = None,
        limits: Mapping[str, float] | None = None,
        metrics: Mapping[str, str] | None = None,
        traces: bool | None = None,
    ) -> None:
        self.fields: dict[str, Any] = {
            "version": 1,
            **_given(experiment=experiment, seed=seed, starts_at=starts_at),
            "expires_at": expires_at,
            **_given(dry_run=dry_run, metrics=metrics, traces=traces, limits=limits),
            "faults": _named(faults),
        }

    def __repr__(self) -> str:
        return f"Plan({self.to_json()})"

    def to_json(self) -> str:
        """The plan as the engine reads it, and as `FAULTLAYER_PLAN` takes it."""
        return _dump(self.fields)


PlanLike = str | os.PathLike[str] | Mapping[str, Any] | Plan | Fault | Sequence[Fault | Mapping[str, Any]]
"""A plan as a dict, as JSON text, as the path of a file, built, or just a fault or a list of faults."""


def to_json(plan: PlanLike) -> str:
    """The JSON text of whatever is taken for a plan. A dict or text goes on as it stands: the engine judges it."""
    if isinstance(plan, Plan):
        return plan.to_json()
    if isinstance(plan, Fault):
        return Plan(plan).to_json()
    if isinstance(plan, Mapping):
        return Plan(plan).to_json() if "kind" in plan and "faults" not in plan else _dump(dict(plan))
    if isinstance(plan, str) and plan.lstrip()[:1] in ("{", "["):
        return plan
    if isinstance(plan, (str, os.PathLike)):
        return _read(plan)
    if isinstance(plan, Sequence) and all(isinstance(fault, (Fault, Mapping)) for fault in plan):
        return Plan(*plan).to_json()
    raise InvalidPlanError(
        f"plan: expected a dict, JSON, a path, a Plan, a Fault or a list of faults, got `{plan!r:.80}`"
    )


def _read(path: str | os.PathLike[str]) -> str:
    name = os.fspath(path).removeprefix("file:")
    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise UnreadablePlanError(f"plan: expected a readable file, got `{name}` ({error})") from error


def _dump(fields: dict[str, Any]) -> str:
    return json.dumps(_plain(fields, ""), ensure_ascii=False)


def _plain(value: Any, path: str) -> Any:
    """What JSON can say, with the times and classes that Python people write as the plan spells them."""
    if isinstance(value, Fault):
        value = value.fields
    if isinstance(value, Mapping):
        return {_key(key, path): _plain(inner, f"{path}.{key}" if path else str(key)) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner, f"{path}[{index}]") for index, inner in enumerate(value)]
    if isinstance(value, type) and issubclass(value, BaseException):
        if "<" in value.__qualname__:
            raise _refused(path, "a class that can be imported, or its dotted path", value)
        return value.__name__ if value.__module__ == "builtins" else f"{value.__module__}.{value.__qualname__}"
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise _refused(path, "a time with a time zone, as in `datetime.now(timezone.utc)`", value)
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        raise _refused(path, "a finite number", value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise _refused(path, "what JSON can say, a datetime or an exception class", value)


def _key(key: Any, path: str) -> str:
    if isinstance(key, str):
        return key
    raise _refused(path, "names that are strings", key)


def _refused(path: str, expected: str, got: Any) -> InvalidPlanError:
    shown = f"{got!r:.80}"
    problem = Problem("wrong_type", path, None, expected)
    return InvalidPlanError(f"{path or 'plan'}: expected {expected}, got `{shown}`", path, (problem,))


def _given(**fields: Any) -> dict[str, Any]:
    """Only what was said: every default is the engine's."""
    return {name: value for name, value in fields.items() if value is not None}


def _named(faults: Sequence[Fault | Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Faults with what a builder need not say: the id (the kind, numbered from the second on) and the rate (always)."""
    taken = {fault["id"] for fault in map(_fields, faults) if isinstance(fault.get("id"), str)}
    named = []
    for fault in map(_fields, faults):
        name = fault.get("id")
        if name is None:
            kind, number = str(fault.get("kind")), 1
            name = kind
            while name in taken:
                number += 1
                name = f"{kind}-{number}"
            taken.add(name)
        named.append({"id": name, "rate": 1, **fault})
    return named


def _fields(fault: Fault | Mapping[str, Any]) -> dict[str, Any]:
    return fault.fields if isinstance(fault, Fault) else dict(fault)
