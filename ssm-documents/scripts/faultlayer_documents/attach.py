"""Step `Attach`: checks, claims every function, waits until each update is done, reads again and compares.

The order in `claim` is what the cancel race hangs on: read, then look for the closed mark, then write under the revision
that was read. Roll-back marks first and moves the revision then, so that either the mark is seen or the write fails.
"""

import math
import time
from typing import Any

from faultlayer_documents.aws import Aws, brief, code_of, counted, revision, settled
from faultlayer_documents.change import Options, attach_change, is_attached
from faultlayer_documents.check import check
from faultlayer_documents.marker import RESTORE, Marker, variables
from faultlayer_documents.parse import marker_of, parse_marker
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
            self.attach(name)
        except Exception:
            # The others must not go on: all that is attached comes off again.
            self.aws.stop.set()
            raise

    def attach(self, name: str) -> None:
        config = self.claim(name)
        marker = marker_of(config)
        if marker and marker.alias:
            self.repoint(name, config, marker)

    def claim(self, name: str) -> dict[str, Any]:
        """One update under the revision that was read; answers the verified configuration."""
        ends, change = time.monotonic() + CLAIM_PATIENCE_S, None
        execution = self.options.execution
        while True:
            config = settled(self.aws, name)
            marker = marker_of(config)
            if marker and marker.execution == execution:
                return self.verified(name, config, change)
            if change and config.get("LastUpdateStatus") == "Failed":
                raise NotAttached(f"its update failed: {config.get('LastUpdateStatusReason')}")
            recorded = parse_marker(self.entries[name]["m"])
            alias: dict[str, Any] | None = {"Name": recorded.alias, "FunctionVersion": recorded.version} if recorded.alias else None
            if alias:
                alias["RoutingConfig"] = {"AdditionalVersionWeights": recorded.weights}
            # Its owner may have changed it since the check; what can be told from the configuration is asked again.
            reasons = claim_reasons(config) or room_reasons(config, self.options, alias)
            if alias and config.get("CodeSha256", "") != self.entries[name]["c"]:
                reasons.append("its code was changed since the check")
            if reasons:
                raise NotAttached("; ".join(reasons))
            change, _ = attach_change(config, self.options, alias)
            self.go_on(name)
            try:
                self.aws.fn("update_function_configuration", FunctionName=name, **change, **revision(config))
            except Exception as error:
                if code_of(error) not in ("PreconditionFailedException", "ResourceConflictException"):
                    raise
                if time.monotonic() > ends:
                    raise NotAttached(f"somebody else kept updating it for {CLAIM_PATIENCE_S:.0f} s") from None
                self.aws.pause(0.3)

    def verified(self, name: str, config: dict[str, Any], change: dict[str, Any] | None) -> dict[str, Any]:
        """The configuration, if everything attach set is there and the update is done. `change` is None for a function
        that an earlier try of this step claimed: then its own marker and plan say what belongs there."""
        if config.get("LastUpdateStatus", "Successful") != "Successful" or config.get("State") == "Failed":
            status = config.get("LastUpdateStatusReason") or config.get("LastUpdateStatus")
            raise NotAttached(f"its update did not become active: {status}")
        if change is None:
            marker = marker_of(config)
            layers = [layer["Arn"] for layer in config.get("Layers") or []]
            account = config["FunctionArn"].split(":")[4]
            whole = marker is not None and any(marker.owns(arn, account) for arn in layers)
        else:
            whole = is_attached(config, change)
        if not whole:
            raise NotAttached("was changed by somebody else while it was attached")
        return config

    def repoint(self, name: str, config: dict[str, Any], marker: Marker) -> None:
        """Publishes what is attached and points the alias at it."""
        execution, ends = self.options.execution, time.monotonic() + CLAIM_PATIENCE_S
        while True:
            self.go_on(name)
            try:
                version = self.aws.fn(
                    "publish_version",
                    FunctionName=name,
                    Description=f"Faultlayer {execution}",
                    CodeSha256=self.entries[name]["c"],
                    **revision(config),
                )["Version"]
                break
            except Exception as error:
                if code_of(error) not in ("PreconditionFailedException", "ResourceConflictException"):
                    raise
                if time.monotonic() > ends:
                    raise NotAttached("somebody else kept updating it, it could not be published") from None
                self.aws.pause(0.3)
                config = settled(self.aws, name)
                now = marker_of(config)
                if not now or now.text() != marker.text():
                    raise NotAttached("was changed by somebody else before it was published") from None
        published = settled(self.aws, name, version, CLAIM_PATIENCE_S)
        if variables(published).get(RESTORE) != marker.text() or published.get("State", "Active") not in ("Active", "Inactive"):
            raise NotAttached(f"version {version} did not become active: {published.get('StateReason')}")
        for _ in range(5):
            alias = get_alias(self.aws, name, marker.alias)
            if alias is None:
                raise NotAttached(f"alias `{marker.alias}` is gone")
            if alias["FunctionVersion"] == version:
                return
            weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
            if alias["FunctionVersion"] != marker.version or weights != marker.weights:
                raise NotAttached(f"alias `{marker.alias}` was changed by somebody else")
            self.go_on(name)
            try:
                self.aws.fn(
                    "update_alias",
                    FunctionName=name,
                    Name=marker.alias,
                    FunctionVersion=version,
                    RoutingConfig={"AdditionalVersionWeights": {}},
                    **revision(alias),
                )
            except Exception as error:
                if code_of(error) not in ("PreconditionFailedException", "ResourceConflictException"):
                    raise
                self.aws.pause(0.5)
        raise NotAttached(f"alias `{marker.alias}` could not be pointed at version {version}")


def attach(aws: Aws, stack: str, options: Options, entries: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Raises with every function that is not attached; what is attached the roll-back takes off."""
    began = execution_of(aws, options.execution)["ExecutionStartTime"].timestamp()
    started = time.monotonic()
    results = aws.each(Attacher(aws, stack, began, options, entries), entries)
    failed = {name: brief(result) for name, result in results.items() if isinstance(result, Exception)}
    took = time.monotonic() - started
    if failed:
        # What failed of itself first; those that only stopped because of it last.
        lines = sorted((f"`{name}`: {reason}" for name, reason in failed.items()), key=lambda line: "not tried" in line)
        print("\n".join(lines))
        raise NotAttached(f"not attached: {len(failed)} of {counted(len(entries), 'function')}: " + "; ".join(lines))
    print(f"{counted(len(entries), 'function')} attached in {took:.1f} s")
    return {"Attached": len(entries), "Seconds": math.ceil(took)}


def check_and_attach(events: dict[str, Any], context: Any) -> dict[str, Any]:
    """The step. One, so that nothing has to travel from the check to the attaching, where somebody could change it."""
    aws = Aws()
    outputs, options, entries = check(aws, events)
    return {**outputs, **attach(aws, stack_of(events), options, entries)}
