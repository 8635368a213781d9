"""Where records go: a list, a callback, a logger. Owns their Python form; the engine wrote the line."""

from __future__ import annotations

import json
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, MutableSequence
from typing import Any, TypedDict

LOGGER = logging.getLogger("faultlayer")
LOGGER.addHandler(logging.NullHandler())


class Record(TypedDict, total=False):
    """One drawn fault of one call. Beside these it has the fields of its kind, such as `delay_ms`."""

    timestamp: str
    level: str
    source: str
    experiment: str
    fault: str
    kind: str
    action: str
    """`injected`, `skipped` or `dry_run`."""
    reason: str
    requestId: str
    sample: float
    rate: float
    delay_ms: float
    coldStart: bool


class Told(ABC):
    """What records say, for whatever has them."""

    @property
    @abstractmethod
    def records(self) -> list[Record]:
        """All records so far, in order of time."""

    @property
    def injected(self) -> list[str]:
        """The ids of the faults that were injected, in order, with repetitions."""
        return [record["fault"] for record in self.records if record["action"] == "injected"]

    @property
    def skipped(self) -> dict[str, str]:
        """The faults that were drawn and did not fire, each with the last reason."""
        return {record["fault"]: record["reason"] for record in self.records if record["action"] == "skipped"}

    def fired(self, fault: str | None = None) -> int:
        """How often that fault was injected, or any."""
        return len(self.injected) if fault is None else self.injected.count(fault)


Records = MutableSequence[Any] | Callable[[Any], object] | logging.Logger | None
"""A list that grows, a callable that is called, a logger; None is the logger `faultlayer`. Each gets a `Record`."""


def sink(records: Records) -> Callable[[str], None]:
    """What the engine calls with each line."""
    if records is None or isinstance(records, logging.Logger):
        logger = records or LOGGER

        def log(line: str) -> None:
            level = logging.WARNING if json.loads(line).get("action") == "injected" else logging.INFO
            logger.log(level, "%s", line, extra={"faultlayer": line})

        return log
    if callable(records):
        return lambda line: void(records(json.loads(line)))
    return lambda line: records.append(json.loads(line))


def void(_: object) -> None:
    """Takes what a callback returns."""
