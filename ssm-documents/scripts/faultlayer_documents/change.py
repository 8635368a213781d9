"""What attaching changes on a function and what takes exactly that off again. Pure: a configuration in, arguments of
one UpdateFunctionConfiguration out."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from faultlayer_documents.marker import HANDLER, PLAN, RESTORE, Marker, owns, variables

NODE = "/opt/faultlayer/node/"
HANDLERS = {"python": "faultlayer_layer.handler", "node": NODE + "handler.handler"}
AGENT = "-javaagent:/opt/faultlayer/faultlayer-agent.jar"
# The options by which Node loads something before the client. It sees the function's own handler between two files of ours.
PRELOADS = re.compile(r'(?:^| )"*(?:-r|--(?:require|import|(?:experimental[-_])?loader))(?:[ =]|\Z)')
PRELOADED = (f"--require={NODE}first.cjs", f"--import={NODE}last.mjs")
# What goes into a variable of options: in front of what it has, and behind it.
OPTIONS = {"java": ("JAVA_TOOL_OPTIONS", (AGENT,)), "node": ("NODE_OPTIONS", PRELOADED)}
PYTHON_ROOT = "/opt/python"
# Fields an owner may change in mid-experiment; roll-back keeps such a change and names it. A record's hashes are in this order.
FIELDS = (
    "Runtime Role Description CodeSha256 Timeout MemorySize VpcConfig DeadLetterConfig KMSKeyArn TracingConfig "
    "FileSystemConfigs Architectures EphemeralStorage SnapStart LoggingConfig DurableConfig CapacityProviderConfig"
).split()


@dataclass
class Options:
    """What an execution attaches, the same for all its functions. `layers` maps `kind-architecture` to an ARN."""

    execution: str
    layers: dict[str, str]
    plan: str = ""
    alias: str = ""
    timeout: int = 0
    memory: int = 0
    # GetAlias's answers by function.
    aliases: dict[str, dict[str, Any]] = field(default_factory=dict)


def kind_of(config: dict[str, Any]) -> str:
    """`python`, `node`, `java`, or empty. That for a runtime Faultlayer has no layer for."""
    found = re.match("python|node(?=js)|java", str(config.get("Runtime", "")))
    return found[0] if found else ""


def architecture_of(config: dict[str, Any]) -> str:
    """`x86_64` or `arm64`."""
    return str((config.get("Architectures") or ["x86_64"])[0])


def layer_for(config: dict[str, Any], options: Options) -> str:
    """The layer for a function, or nothing."""
    return options.layers.get(f"{kind_of(config)}-{architecture_of(config)}", "")


def layers_of(config: dict[str, Any]) -> list[str]:
    """The ARNs of a function's layers. With versions, in order."""
    return [layer["Arn"] for layer in config.get("Layers") or []]


def account_of(config: dict[str, Any]) -> str:
    """The account a function lives in."""
    return str(config["FunctionArn"]).split(":")[4]


def weights_of(alias: dict[str, Any]) -> dict[str, float]:
    """The weights of an alias' other versions."""
    return dict((alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {})


def environment_size(values: dict[str, str]) -> int:
    """Bytes Lambda measures against its 4 KB. The variables as compact JSON."""
    return len(json.dumps(values, separators=(",", ":"), ensure_ascii=False).encode())


def attach_change(config: dict[str, Any], options: Options, alias: dict[str, Any] | None = None) -> tuple[dict[str, Any], Marker]:
    """The update that claims and attaches. And the marker it writes. `alias` is GetAlias's answer."""
    kind = kind_of(config)
    layer = layer_for(config, options)
    account, name = layer.split(":")[4], layer.split(":")[6]
    marker = Marker(options.execution, name if account == account_of(config) else f"{account}:{name}", kind)
    values = variables(config)
    change: dict[str, Any] = {"Layers": [*layers_of(config), layer]}
    preloads = PRELOADS.search(values.get("NODE_OPTIONS", "")) or values.get("AWS_LAMBDA_EXEC_WRAPPER")
    if kind == "java" or (kind == "node" and preloads):
        key, (before, *behind) = OPTIONS[kind]
        marker.options = key not in values
        values[key] = " ".join(part for part in (before, values.get(key, ""), *behind) if part)
    if kind in HANDLERS:
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
        marker.weights = weights_of(alias)
    values[PLAN], values[RESTORE] = options.plan, marker.text()
    change["Environment"] = {"Variables": values}
    return change, marker


def is_attached(config: dict[str, Any], change: dict[str, Any]) -> bool:
    """Whether all that attaching set is there. Whatever else changed beside it."""
    wanted = change["Environment"]["Variables"]
    values = variables(config)
    mine = (PLAN, RESTORE, HANDLER, "PYTHONPATH", "JAVA_TOOL_OPTIONS", "NODE_OPTIONS")
    return (
        all(values.get(key) == wanted.get(key) for key in mine)
        and change["Layers"][-1] in layers_of(config)
        and all(config[key] == change[key] for key in ("Handler", "Timeout", "MemorySize") if key in change)
    )


def names_us(value: str, ours: str) -> bool:
    """Whether a text holds a name of ours. As a word, and not as the start of another name."""
    return re.search(rf"(?<![\w./-]){re.escape(ours)}(?![\w./-])", value) is not None


def without_token(value: str, token: str, separator: str) -> str:
    """`value` without the last `token`. Every other byte kept."""
    tokens = value.split(separator)
    if token in tokens:
        del tokens[len(tokens) - 1 - tokens[::-1].index(token)]
    return separator.join(tokens)


def put_back(
    config: dict[str, Any], marker: Marker, values: dict[str, str], original: str, fits: Callable[[str, str], bool]
) -> tuple[dict[str, str], list[str], str]:
    """Our handler or agent out of `Handler` and `values`. Wherever an installer has moved it to: the change of the field,
    notes, and why that cannot be done."""
    change: dict[str, str] = {}
    notes: list[str] = []
    ours = HANDLERS.get(marker.kind, AGENT)
    variable, tokens = OPTIONS.get(marker.kind, ("", ()))
    for key, value in values.items():
        if not {*tokens}.isdisjoint(value.split(" ")):
            values[key] = " ".join(token for token in value.split(" ") if token not in tokens)
    if marker.options and values.get(variable) == "":
        del values[variable]
    named = (ours, *(token.split("=")[-1] for token in tokens))
    moved = [key for key, value in values.items() if marker.kind and any(names_us(value, name) for name in named)]
    if marker.kind in HANDLERS:
        outside = config.get("Handler") != ours
        if not original and (moved or not outside):
            return {}, [], f"lost `{HANDLER}`, and no record names the original handler: set the handler by hand"
        if outside:
            notes.append("field Handler")
        else:
            change["Handler"] = original
        for key in list(moved):
            # Where it wrapped itself around us a second time, what it had wrapped before is lost.
            if values[key].strip() == ours and fits(key, original) and not (outside and original == config.get("Handler")):
                values[key] = original
                notes.append(f"variable {key} named Faultlayer's handler, now the original one")
                moved.remove(key)
    if moved:
        names = ", ".join(f"`{key}`" for key in moved)
        return {}, [], f"names Faultlayer in {names}, and what stood there before is not known: change that by hand and roll back again"
    return change, notes, ""


def restore_change(
    config: dict[str, Any],
    marker: Marker,
    recorded_handler: str,
    touch_layers: bool = True,
    fits: Callable[[str, str], bool] = lambda key, text: True,
) -> tuple[dict[str, Any], list[str], str]:
    """The update that takes off what the marker names. And what was found different from how attach left it, and what stands
    in the way. Where something does, the update takes off the plan alone, so that the function goes on with our layer.

    `touch_layers` false leaves the list of layers alone, and the marker with it, so that a later roll-back can finish.
    `fits` says whether a variable may have held a text before attaching.
    """
    values = variables(config)
    original = values.pop(HANDLER, None) or recorded_handler
    values.pop(PLAN, None)
    values.pop(RESTORE, None)
    fields, notes, stuck = put_back(config, marker, values, original, fits)
    change: dict[str, Any] = dict(fields)
    if stuck:
        kept = {name: value for name, value in variables(config).items() if name != PLAN}
        return {"Environment": {"Variables": kept}}, [], stuck
    if marker.path and "PYTHONPATH" in values:
        values["PYTHONPATH"] = without_token(values["PYTHONPATH"], PYTHON_ROOT, ":")
    for pair, field_name in ((marker.timeout, "Timeout"), (marker.memory, "MemorySize")):
        if pair and config[field_name] == pair[1]:
            change[field_name] = pair[0]
        elif pair and config[field_name] != pair[0]:
            notes.append(f"field {field_name}")
    arns = layers_of(config)
    kept_layers = [arn for arn in arns if not owns(marker, arn, account_of(config))]
    if kept_layers == arns:
        notes.append(f"layer {marker.layer}")
    elif touch_layers:
        change["Layers"] = kept_layers
    else:
        values[RESTORE] = Marker(marker.execution, marker.layer).text()
    change["Environment"] = {"Variables": values}
    return change, notes, ""
