"""Writes to one function at a time: under the revision that was read, and only while no roll-back of the execution has begun.

The order is what the cancel race hangs on: read, then look for the closed mark, then write under the revision that was read.
Roll-back marks first and moves the revision then, so that either the mark is seen or the write fails.
"""

import time
from typing import Any

from faultlayer_documents.aws import Aws, settled
from faultlayer_documents.change import Options, weights_of
from faultlayer_documents.marker import RESTORE, variables
from faultlayer_documents.refuse import get_alias
from faultlayer_documents.store import is_closed

CLAIM_PATIENCE_S = 120.0


class NotWritten(Exception):
    """One function was not attached, or not changed; the text says why."""


class Writes:
    """Shared by the workers of a step. `began` is when the attaching execution did, `entries` are its record's."""

    done = "attached"

    def __init__(self, aws: Aws, stack: str, began: float, options: Options, entries: dict[str, dict[str, Any]]) -> None:
        self.aws, self.stack, self.began, self.options, self.entries = aws, stack, began, options, entries

    def go_on(self, name: str) -> None:
        """Raises if nothing may be written any more."""
        if self.aws.stop.is_set():
            raise NotWritten("not tried, another function failed")
        if is_closed(self.aws, self.stack, self.options.execution, self.began, name):
            self.aws.stop.set()
            raise NotWritten(f"not {self.done}, a roll-back of this execution has begun")

    def wait(self, ends: float) -> None:
        """A moment before the next try. Raises once there were enough."""
        if time.monotonic() > ends:
            raise NotWritten(f"somebody else kept updating it for {CLAIM_PATIENCE_S:.0f} s")
        self.aws.pause(0.3)

    def publish(self, name: str, config: dict[str, Any]) -> str:
        """Publishes what is attached. Answers the version."""
        ends, description = time.monotonic() + CLAIM_PATIENCE_S, f"Faultlayer {self.options.execution}"
        marker = variables(config)[RESTORE]
        while True:
            self.go_on(name)
            code = self.entries[name]["c"]
            made = self.aws.write("publish_version", config, FunctionName=name, Description=description, CodeSha256=code)
            if made:
                break
            self.wait(ends)
            config = settled(self.aws, name)
            if variables(config).get(RESTORE) != marker:
                raise NotWritten("was changed by somebody else before it was published")
        version = str(made["Version"])
        published = settled(self.aws, name, version, CLAIM_PATIENCE_S)
        if variables(published).get(RESTORE) != marker or published.get("State", "Active") not in ("Active", "Inactive"):
            raise NotWritten(f"version {version} did not become active: {published.get('StateReason')}")
        return version

    def repoint(self, name: str, version: str, before: dict[str, Any]) -> None:
        """Points the alias at a version."""
        label = before["Name"]
        for _ in range(5):
            alias = get_alias(self.aws, name, label)
            if alias is None:
                raise NotWritten(f"alias `{label}` is gone")
            if alias["FunctionVersion"] == version:
                return
            if (alias["FunctionVersion"], weights_of(alias)) != (before["FunctionVersion"], weights_of(before)):
                raise NotWritten(f"alias `{label}` was changed by somebody else")
            self.go_on(name)
            route: dict[str, Any] = {"FunctionVersion": version, "RoutingConfig": {"AdditionalVersionWeights": {}}}
            if not self.aws.write("update_alias", alias, FunctionName=name, Name=label, **route):
                self.aws.pause(0.5)
        raise NotWritten(f"alias `{label}` could not be pointed at version {version}")
