"""Step `Attach`: checks, claims every function, waits until each update is done, reads again and compares.

The order in `claim` is what the cancel race hangs on: read, then look for the closed mark, then write under the revision
that was read. Roll-back marks first and moves the revision then, so that either the mark is seen or the write fails.
"""

import time
from typing import Any

from faultlayer_documents.aws import Aws, brief, counted, settled
from faultlayer_documents.change import Options, attach_change, is_attached, layer_for, layers_of, weights_of
from faultlayer_documents.check import check
from faultlayer_documents.marker import RESTORE, variables
from faultlayer_documents.refuse import claim_reasons, get_alias, room_reasons
from faultlayer_documents.store import execution_of, is_closed, stack_of

CLAIM_PATIENCE_S = 120.0


class NotAttached(Exception):
    """One function could not be attached; the text says why."""


class Attacher:
    """Attaches one function at a time; shared by the workers."""

    def __init__(self, aws: Aws, stack: str, began: float, options: Options, entries: dict[str, dict[str, Any]]) -> None:
        self.aws, self.stack, self.began, self.options, self.entries = aws, stack, began, options, entries

    def go_on(self, name: str) -> None:
        """Raises if nothing may be written any more."""
        if self.aws.stop.is_set():
            raise NotAttached("not tried, another function failed")
        if is_closed(self.aws, self.stack, self.options.execution, self.began, name):
            self.aws.stop.set()
            raise NotAttached("not attached, a roll-back of this execution has begun")

    def __call__(self, name: str) -> None:
        try:
            config = self.claim(name)
            if name in self.options.aliases:
                self.repoint(name, self.publish(name, config), self.options.aliases[name])
        except Exception:
            # The others must not go on: all that is attached comes off again.
            self.aws.stop.set()
            raise

    def wait(self, ends: float) -> None:
        """A moment before the next try. Raises once there were enough."""
        if time.monotonic() > ends:
            raise NotAttached(f"somebody else kept updating it for {CLAIM_PATIENCE_S:.0f} s")
        self.aws.pause(0.3)

    def claim(self, name: str) -> dict[str, Any]:
        """One update under the revision read. Answers the verified configuration."""
        ends, change, alias = time.monotonic() + CLAIM_PATIENCE_S, None, self.options.aliases.get(name)
        while True:
            config = settled(self.aws, name)
            if variables(config).get(RESTORE, "").startswith(f"1,{self.options.execution},"):
                return self.verified(config, change)
            if change and config.get("LastUpdateStatus") == "Failed":
                raise NotAttached(f"its update failed: {config.get('LastUpdateStatusReason')}")
            # Its owner may have changed it since the check; what can be told from the configuration is asked again.
            reasons = claim_reasons(config) or room_reasons(config, self.options, alias)
            if alias and config.get("CodeSha256", "") != self.entries[name]["c"]:
                reasons.append("its code was changed since the check")
            if reasons:
                raise NotAttached("; ".join(reasons))
            change, _ = attach_change(config, self.options, alias)
            self.go_on(name)
            if not self.aws.write("update_function_configuration", config, FunctionName=name, **change):
                self.wait(ends)

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
                raise NotAttached("was changed by somebody else before it was published")
        version = str(made["Version"])
        published = settled(self.aws, name, version, CLAIM_PATIENCE_S)
        if variables(published).get(RESTORE) != marker or published.get("State", "Active") not in ("Active", "Inactive"):
            raise NotAttached(f"version {version} did not become active: {published.get('StateReason')}")
        return version

    def repoint(self, name: str, version: str, before: dict[str, Any]) -> None:
        """Points the alias at a version."""
        label = before["Name"]
        for _ in range(5):
            alias = get_alias(self.aws, name, label)
            if alias is None:
                raise NotAttached(f"alias `{label}` is gone")
            if alias["FunctionVersion"] == version:
                return
            if (alias["FunctionVersion"], weights_of(alias)) != (before["FunctionVersion"], weights_of(before)):
                raise NotAttached(f"alias `{label}` was changed by somebody else")
            self.go_on(name)
            route: dict[str, Any] = {"FunctionVersion": version, "RoutingConfig": {"AdditionalVersionWeights": {}}}
            if not self.aws.write("update_alias", alias, FunctionName=name, Name=label, **route):
                self.aws.pause(0.5)
        raise NotAttached(f"alias `{label}` could not be pointed at version {version}")

    def verified(self, config: dict[str, Any], change: dict[str, Any] | None) -> dict[str, Any]:
        """The configuration, if all of it is there. Of what attach set; and the update is done.

        `change` is None for a function that an earlier try of this step claimed: then the layer says that it was."""
        if config.get("LastUpdateStatus", "Successful") != "Successful" or config.get("State") == "Failed":
            status = config.get("LastUpdateStatusReason") or config.get("LastUpdateStatus")
            raise NotAttached(f"its update did not become active: {status}")
        if not (is_attached(config, change) if change else layer_for(config, self.options) in layers_of(config)):
            raise NotAttached("was changed by somebody else while it was attached")
        return config


def attach(aws: Aws, stack: str, options: Options, entries: dict[str, dict[str, Any]]) -> None:
    """Raises, naming what is not attached. What is attached the roll-back takes off."""
    began = execution_of(aws, options.execution)["ExecutionStartTime"].timestamp()
    started = time.monotonic()
    results = aws.each(Attacher(aws, stack, began, options, entries), entries)
    failed = {name: brief(result) for name, result in results.items() if isinstance(result, Exception)}
    if failed:
        # What failed of itself first; those that only stopped because of it last.
        lines = sorted((f"`{name}`: {reason}" for name, reason in failed.items()), key=lambda line: "not tried" in line)
        print("\n".join(lines))
        raise NotAttached(f"not attached: {len(failed)} of {counted(len(entries), 'function')}: " + "; ".join(lines))
    print(f"{counted(len(entries), 'function')} attached in {time.monotonic() - started:.1f} s")


def check_and_attach(events: dict[str, Any], context: Any) -> dict[str, Any]:
    """The step. One, so that nothing has to travel from the check to the attaching, where somebody could change it."""
    aws = Aws()
    outputs, options, entries = check(aws, events)
    attach(aws, stack_of(events), options, entries)
    return outputs
