"""Restores one function from a fresh read: takes off what its marker names, keeps what its owner changed. May be cut off
anywhere and repeated.

Changes only what the function's own marker and what is found there bear out. An alias is moved and a version deleted only
where version and record say the same and the execution does not deny it; a lost marker or handler is made good only by a
record that the execution says it wrote (`Known.borne_out`).
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from faultlayer_documents.aws import Aws, OutOfTime, brief, code_of, pages, revision, settled
from faultlayer_documents.change import HANDLERS, account_of, layers_of, restore_change, weights_of
from faultlayer_documents.marker import HANDLER, PLAN, RESTORE, Marker, owns, unreadable, variables
from faultlayer_documents.parse import marker_of, parse_marker
from faultlayer_documents.refuse import get_alias
from faultlayer_documents.store import drift, short_hash

RESTORE_PATIENCE_S = 240.0


class Left(Exception):
    """A function that could not be restored; the text says why and what to do."""


class LeftForGood(Left):
    """What no further pass can mend, though it may no longer see it."""


@dataclass
class Known:
    """What a record says about a function, and whether its execution bears that out (asked only where it matters; None: it
    has not said)."""

    entry: dict[str, Any] | None
    borne_out: Callable[[], bool | None]

    def handler(self) -> str:
        """The original handler."""
        return str(self.entry["h"]) if self.entry and self.borne_out() else ""

    def fits(self, execution: str, key: str, text: str) -> bool:
        """Whether a variable may have held `text` before attaching."""
        return not self.entry or self.entry["v"].get(key) in (None, short_hash(execution, text))


def find_marker(config: dict[str, Any], known: Known) -> Marker | None:
    """The function's marker; or the record's, where somebody took the marker off and left something else of ours."""
    if unreadable(config):
        raise Left(unreadable(config))
    try:
        marker = marker_of(config)
    except ValueError as error:
        raise Left(str(error)) from None
    if marker or not known.entry:
        return marker
    recorded, values = parse_marker(known.entry["m"]), variables(config)
    ours = config.get("Handler") in HANDLERS.values() or PLAN in values or HANDLER in values
    if not ours and not any(owns(recorded, arn, account_of(config)) for arn in layers_of(config)):
        return None
    if known.borne_out():
        return recorded
    if ours:
        raise Left("carries something of Faultlayer's without a marker, and its record is not the one its execution wrote")
    return None


def published(aws: Aws, name: str, entry: dict[str, Any], execution: str) -> list[str]:
    """The versions that the execution published. They carry its marker and the code that was recorded."""
    return [
        version["Version"]
        for version in pages(aws, "list_versions_by_function", "Versions", FunctionName=name)
        if version["Version"] != "$LATEST"
        and version.get("Description") == f"Faultlayer {execution}"
        and variables(version).get(RESTORE) == entry["m"]
        and version.get("CodeSha256", "") == entry["c"]
    ]


def restore_alias(aws: Aws, name: str, entry: dict[str, Any]) -> list[str]:
    """Points the alias back, and deletes what was published. That is, the versions this execution published."""
    notes: list[str] = []
    marker = parse_marker(entry["m"])
    ours = published(aws, name, entry, marker.execution)
    for _ in range(8):
        alias = get_alias(aws, name, marker.alias)
        if alias is None:
            notes.append(f"alias {marker.alias} is gone")
            break
        weights = weights_of(alias)
        kept = {version: weight for version, weight in weights.items() if version not in ours}
        if alias["FunctionVersion"] in ours:
            target, kept = marker.version, kept or marker.weights
        elif kept != weights:
            target = alias["FunctionVersion"]
        else:
            if (alias["FunctionVersion"], weights) != (marker.version, marker.weights):
                notes.append(f"alias {marker.alias}")
            break
        routing = {"AdditionalVersionWeights": kept}
        if not aws.write("update_alias", alias, FunctionName=name, Name=marker.alias, FunctionVersion=target, RoutingConfig=routing):
            aws.pause(0.5)
    else:
        raise Left(f"alias `{marker.alias}` is changed by somebody else all the time")
    for version in ours:
        try:
            aws.fn("delete_function", FunctionName=name, Qualifier=version)
        except Exception as error:
            if code_of(error) == "ResourceConflictException":
                raise Left(f"version {version} cannot be deleted: {brief(error)}") from None
            if code_of(error) != "ResourceNotFoundException":
                raise
    return notes


def alias_entry(marker: Marker, known: Known) -> dict[str, Any] | None:
    """The entry by which an alias may be moved. If there is an alias to move. Raises LeftForGood where nothing bears that out."""
    if known.entry and parse_marker(known.entry["m"]).alias and known.borne_out() is not False:
        return known.entry
    if marker.alias:
        raise LeftForGood(
            f"no record of its execution bears out what its marker says of alias `{marker.alias}`: if it points at a "
            f"version described as `Faultlayer {marker.execution}`, point it back at version {marker.version} and delete that one"
        )
    return None


def restore_function(aws: Aws, name: str, marker: Marker, known: Known) -> list[str]:
    """Restores a function that carries `marker`. Answers what its owner changed meanwhile. Raises Left, or
    ResourceNotFoundException where the function is gone."""
    notes: list[str] = []
    refused = ""
    execution, ends, touch_layers = marker.execution, time.monotonic() + RESTORE_PATIENCE_S, True
    try:
        # Asked again below. What is wrong with an alias does not keep the function itself attached.
        with contextlib.suppress(Left):
            entry = alias_entry(marker, known)
            notes = restore_alias(aws, name, entry) if entry else []
        while True:
            config = settled(aws, name)
            now = find_marker(config, known)
            if now is None or now.execution != execution:
                break
            handler = "" if variables(config).get(HANDLER) or now.kind not in HANDLERS else known.handler()
            change, found, stuck = restore_change(config, now, handler, touch_layers, lambda key, text: known.fits(execution, key, text))
            if stuck and PLAN not in variables(config):
                raise Left(f"the plan is off, but it {stuck}")
            try:
                written = aws.write("update_function_configuration", config, FunctionName=name, **change)
            except Exception as error:
                if code_of(error) != "InvalidParameterValueException" or not touch_layers or "layer" not in brief(error).lower():
                    raise
                # A layer of the owner's was deleted: no list with it is taken. Everything but the list can be restored.
                touch_layers, refused = False, brief(error)
                continue
            if written:
                notes += [note for note in found if note not in notes]
                config = settled(aws, name)
                if stuck:
                    raise Left(f"the plan is off, but it {stuck}")
                if not touch_layers or find_marker(config, known) is None:
                    break
            if time.monotonic() > ends:
                raise Left(f"somebody else kept updating it for {RESTORE_PATIENCE_S:.0f} s")
            # No backoff to speak of: between somebody's two updates there may be little time.
            aws.pause(0.2)
    except OutOfTime:
        raise Left("the script's time was over before it was restored") from None
    if not touch_layers:
        raise Left(f"faults are off, but its list of layers cannot be written: {refused}")
    if config.get("LastUpdateStatus") == "Failed":
        raise Left(f"the restoring update failed: {config.get('LastUpdateStatusReason')}")
    entry = alias_entry(marker, known)
    if entry:
        # A version that was published while the alias was put back.
        notes += [note for note in restore_alias(aws, name, entry) if note not in notes]
    if known.entry:
        notes += [note for note in drift(execution, known.entry, config) if note not in notes]
    return notes


def move_revision(aws: Aws, name: str, config: dict[str, Any]) -> None:
    """Writes what is there already. So that a claim still on the wire meets another revision. A refused precondition says
    that it has moved by itself."""
    while True:
        try:
            aws.fn(
                "update_function_configuration",
                FunctionName=name,
                Timeout=config["Timeout"],
                **revision(config),
            )
            return
        except Exception as error:
            if code_of(error) == "PreconditionFailedException":
                return
            if code_of(error) != "ResourceConflictException":
                raise
        aws.pause(0.5)
        config = settled(aws, name)
