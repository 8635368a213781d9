"""Restores one function from a fresh read: takes off what its marker names, keeps what its owner changed. May be cut off
anywhere and repeated."""

import contextlib
import time
from typing import Any

from faultlayer_documents.aws import Aws, OutOfTime, brief, code_of, revision, settled
from faultlayer_documents.change import HANDLERS, account_of, layers_of, restore_change
from faultlayer_documents.marker import HANDLER, PLAN, Marker, marker_of, parse_marker, variables
from faultlayer_documents.refuse import get_alias
from faultlayer_documents.store import drift

RESTORE_PATIENCE_S = 240.0


class Left(Exception):
    """A function that could not be restored; the text says why and what to do."""


def find_marker(config: dict[str, Any], entry: dict[str, Any] | None) -> Marker | None:
    """The function's marker; or the record's, where somebody took the marker off and left something else of ours."""
    if (config.get("Environment") or {}).get("Error"):
        error = config["Environment"]["Error"]
        raise Left(f"its variables cannot be read ({error.get('ErrorCode')}: {error.get('Message')})")
    try:
        marker = marker_of(config)
    except ValueError as error:
        raise Left(str(error)) from None
    if marker or not entry:
        return marker
    recorded, values = parse_marker(entry["m"]), variables(config)
    ours = (
        config.get("Handler") in HANDLERS.values()
        or PLAN in values
        or HANDLER in values
        or any(recorded.owns(arn, account_of(config)) for arn in layers_of(config))
    )
    return recorded if ours else None


def restore_alias(aws: Aws, name: str, marker: Marker) -> list[str]:
    """Points the alias back at what it pointed at, and deletes the versions this execution published."""
    notes: list[str] = []
    versions = aws.pages("list_versions_by_function", "Versions", FunctionName=name)
    ours = [
        version["Version"]
        for version in versions
        if version["Version"] != "$LATEST" and version.get("Description") == f"Faultlayer {marker.execution}"
    ]
    for _ in range(8):
        alias = get_alias(aws, name, marker.alias)
        if alias is None:
            notes.append(f"alias {marker.alias} is gone")
            break
        weights = dict((alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {})
        kept = {version: weight for version, weight in weights.items() if version not in ours}
        if alias["FunctionVersion"] in ours:
            target, kept = marker.version, kept or marker.weights
        elif kept != weights:
            target = alias["FunctionVersion"]
        else:
            if (alias["FunctionVersion"], weights) != (marker.version, marker.weights):
                notes.append(f"alias {marker.alias}")
            break
        try:
            aws.fn(
                "update_alias",
                FunctionName=name,
                Name=marker.alias,
                FunctionVersion=target,
                RoutingConfig={"AdditionalVersionWeights": kept},
                **revision(alias),
            )
        except Exception as error:
            if code_of(error) not in ("PreconditionFailedException", "ResourceConflictException"):
                raise
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


def restore_function(aws: Aws, name: str, marker: Marker, entry: dict[str, Any] | None) -> list[str]:
    """Restores a function that carries `marker`. Answers what its owner changed meanwhile. Raises Left, or
    ResourceNotFoundException where the function is gone."""
    notes: list[str] = []
    refused = ""
    execution, ends, touch_layers = marker.execution, time.monotonic() + RESTORE_PATIENCE_S, True
    try:
        if marker.alias:
            # Asked again below. What is wrong with an alias does not keep the function itself attached.
            with contextlib.suppress(Left):
                notes = restore_alias(aws, name, marker)
        while True:
            config = settled(aws, name)
            now = find_marker(config, entry)
            if now is None or now.execution != execution:
                break
            try:
                change, found = restore_change(config, now, entry["h"] if entry else "", touch_layers)
            except ValueError as error:
                raise Left(str(error)) from None
            try:
                aws.fn("update_function_configuration", FunctionName=name, **change, **revision(config))
                notes += [note for note in found if note not in notes]
                config = settled(aws, name)
                if not touch_layers or find_marker(config, entry) is None:
                    break
            except Exception as error:
                if code_of(error) == "InvalidParameterValueException" and touch_layers and "layer" in brief(error).lower():
                    # A layer of the owner's was deleted: no list with it is taken. Everything but the list can be restored.
                    touch_layers, refused = False, brief(error)
                    continue
                if code_of(error) not in ("PreconditionFailedException", "ResourceConflictException"):
                    raise
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
    if marker.alias:
        # A version that was published while the alias was put back.
        notes += [note for note in restore_alias(aws, name, marker) if note not in notes]
    if entry:
        notes += [note for note in drift(execution, entry, config) if note not in notes]
    return notes


def move_revision(aws: Aws, name: str, config: dict[str, Any]) -> None:
    """Writes what is there already, so that a claim still on the wire meets another revision. A refused precondition says
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
