"""What attaching changes on a function and what takes exactly that off again. Pure: a configuration in, arguments of
one UpdateFunctionConfiguration out."""

import json
import re
from dataclasses import dataclass
from typing import Any

from faultlayer_documents.marker import HANDLER, PLAN, RESTORE, Marker, variables

HANDLERS = {"python": "faultlayer_layer.handler", "node": "/opt/faultlayer/node/handler.handler"}
AGENT = "-javaagent:/opt/faultlayer/faultlayer-agent.jar"
PYTHON_ROOT = "/opt/python"


@dataclass
class Options:
    """What an execution attaches, the same for all its functions. `layers` maps `kind-architecture` to an ARN."""

    execution: str
    layers: dict[str, str]
    plan: str = ""
    alias: str = ""
    timeout: int = 0
    memory: int = 0


def kind_of(config: dict[str, Any]) -> str:
    """`python`, `node`, `java`, or empty for a runtime Faultlayer has no layer for."""
    runtime = str(config.get("Runtime", ""))
    for prefix, kind in (("python", "python"), ("nodejs", "node"), ("java", "java")):
        if runtime.startswith(prefix):
            return kind
    return ""


def architecture_of(config: dict[str, Any]) -> str:
    """`x86_64` or `arm64`."""
    return str((config.get("Architectures") or ["x86_64"])[0])


def layers_of(config: dict[str, Any]) -> list[str]:
    """The ARNs of a function's layer versions, in order."""
    return [layer["Arn"] for layer in config.get("Layers") or []]


def account_of(config: dict[str, Any]) -> str:
    """The account a function lives in."""
    return str(config["FunctionArn"]).split(":")[4]


def environment_size(values: dict[str, str]) -> int:
    """Bytes Lambda measures against its 4 KB: the variables as compact JSON."""
    return len(json.dumps(values, separators=(",", ":"), ensure_ascii=False).encode())


def attach_change(config: dict[str, Any], options: Options, alias: dict[str, Any] | None = None) -> tuple[dict[str, Any], Marker]:
    """The update that claims and attaches in one, and the marker it writes. `alias` is GetAlias's answer."""
    kind = kind_of(config)
    layer = options.layers[f"{kind}-{architecture_of(config)}"]
    account, name = layer.split(":")[4], layer.split(":")[6]
    marker = Marker(options.execution, name if account == account_of(config) else f"{account}:{name}", kind)
    values = variables(config)
    change: dict[str, Any] = {"Layers": [*layers_of(config), layer]}
    if kind == "java":
        marker.options = "JAVA_TOOL_OPTIONS" not in values
        before = values.get("JAVA_TOOL_OPTIONS", "")
        values["JAVA_TOOL_OPTIONS"] = f"{AGENT} {before}" if before else AGENT
    else:
        values[HANDLER] = config["Handler"]
        change["Handler"] = HANDLERS[kind]
    if kind == "python" and "PYTHONPATH" in values:
        tokens = values["PYTHONPATH"].split(":")
        if PYTHON_ROOT not in [token.rstrip("/") for token in tokens]:
            values["PYTHONPATH"] = ":".join([*tokens, PYTHON_ROOT]) if values["PYTHONPATH"] else PYTHON_ROOT
            marker.path = True
    for wanted, field_name, key in ((options.timeout, "Timeout", "timeout"), (options.memory, "MemorySize", "memory")):
        if wanted and wanted != config[field_name]:
            change[field_name] = wanted
            setattr(marker, key, (config[field_name], wanted))
    if alias:
        marker.alias, marker.version = alias["Name"], alias["FunctionVersion"]
        marker.weights = dict((alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {})
    values[PLAN], values[RESTORE] = options.plan, marker.text()
    change["Environment"] = {"Variables": values}
    return change, marker


def is_attached(config: dict[str, Any], change: dict[str, Any]) -> bool:
    """Whether everything an attaching update set is on the function, whatever else changed beside it."""
    wanted = change["Environment"]["Variables"]
    values = variables(config)
    mine = [PLAN, RESTORE, *([HANDLER] if HANDLER in wanted else []), "PYTHONPATH", "JAVA_TOOL_OPTIONS"]
    return (
        all(values.get(key) == wanted.get(key) for key in mine)
        and change["Layers"][-1] in layers_of(config)
        and all(config[key] == change[key] for key in ("Handler", "Timeout", "MemorySize") if key in change)
    )


def names_us(value: str, ours: str) -> bool:
    """Whether a text holds our handler or agent as a word of its own, and not as the start of another name."""
    return re.search(rf"(?<![\w./-]){re.escape(ours)}(?![\w./-])", value) is not None


def without_token(value: str, token: str, separator: str) -> str:
    """`value` without the last `token`, every other byte kept."""
    tokens = value.split(separator)
    if token in tokens:
        del tokens[len(tokens) - 1 - tokens[::-1].index(token)]
    return separator.join(tokens)


def restore_change(
    config: dict[str, Any], marker: Marker, recorded_handler: str, touch_layers: bool = True
) -> tuple[dict[str, Any], list[str]]:
    """The update that takes off what the marker names, and what was found different from how attach left it.

    Raises ValueError if the original handler is nowhere to be found. `touch_layers` false leaves the list of layers
    alone, and the marker with it, so that a later roll-back can finish.
    """
    values, notes = variables(config), []
    change: dict[str, Any] = {}
    original = values.pop(HANDLER, None)
    values.pop(PLAN, None)
    values.pop(RESTORE, None)
    if marker.kind in HANDLERS:
        if config.get("Handler") == HANDLERS[marker.kind]:
            if not (original or recorded_handler):
                raise ValueError(f"`{HANDLER}` is gone and no record names the original handler: set the handler by hand")
            change["Handler"] = original or recorded_handler
        else:
            notes.append("field Handler")
    if marker.path and "PYTHONPATH" in values:
        values["PYTHONPATH"] = without_token(values["PYTHONPATH"], PYTHON_ROOT, ":")
    if marker.kind == "java" and "JAVA_TOOL_OPTIONS" in values:
        if marker.options and values["JAVA_TOOL_OPTIONS"] == AGENT:
            del values["JAVA_TOOL_OPTIONS"]
        else:
            values["JAVA_TOOL_OPTIONS"] = without_token(values["JAVA_TOOL_OPTIONS"], AGENT, " ")
    for pair, field_name in ((marker.timeout, "Timeout"), (marker.memory, "MemorySize")):
        if pair and config[field_name] == pair[1]:
            change[field_name] = pair[0]
        elif pair and config[field_name] != pair[0]:
            notes.append(f"field {field_name}")
    arns = layers_of(config)
    kept = [arn for arn in arns if not marker.owns(arn, account_of(config))]
    if kept == arns:
        notes.append(f"layer {marker.layer}")
    elif touch_layers:
        change["Layers"] = kept
    else:
        values[RESTORE] = Marker(marker.execution, marker.layer).text()
    change["Environment"] = {"Variables": values}
    return change, notes
