"""What an execution leaves in Parameter Store: its record (which functions, what they were like) and its closed marks.

A record is compressed and in base64, because Parameter Store refuses values with double braces; of variables it holds
names and short salted hashes, never values. It serves drift reports and finding functions; restoring needs only the function.
"""

import base64
import hashlib
import json
import time
import zlib
from typing import Any

from faultlayer_documents.aws import Aws, code_of
from faultlayer_documents.change import layers_of
from faultlayer_documents.marker import HANDLER, PLAN, RESTORE, variables

RECORD, CLOSED = "/faultlayer/record/", "/faultlayer/closed/"
VALUE_LIMIT, PER_VALUE = 4096, 20
DAY_S = 86400
# Fields an owner may change in mid-experiment; roll-back keeps such a change and names it.
FIELDS = (
    "Runtime Role Description CodeSha256 Timeout MemorySize VpcConfig DeadLetterConfig KMSKeyArn TracingConfig "
    "FileSystemConfigs Architectures EphemeralStorage SnapStart LoggingConfig DurableConfig CapacityProviderConfig"
).split()


def short_hash(execution: str, value: Any) -> str:
    """Four characters that tell one value from another; salted, and too short to guess a value from."""
    text = execution + json.dumps(value, sort_keys=True, default=str)
    return base64.b64encode(hashlib.sha256(text.encode()).digest()[:3]).decode()


def field_hashes(execution: str, config: dict[str, Any]) -> str:
    """The hashes of all FIELDS in one string."""
    return "".join(short_hash(execution, config.get(key)) for key in FIELDS)


def entry_of(execution: str, config: dict[str, Any], marker_text: str) -> dict[str, Any]:
    """What the record says about one function, before it is touched."""
    return {
        "n": config["FunctionName"],
        "m": marker_text,
        "h": config.get("Handler", ""),
        "l": layers_of(config),
        "v": {name: short_hash(execution, value) for name, value in variables(config).items()},
        "f": field_hashes(execution, config),
    }


def drift(execution: str, entry: dict[str, Any], config: dict[str, Any]) -> list[str]:
    """What differs between the record and a function that carries nothing of ours any more."""
    now, then = variables(config), entry["v"]
    ours = (PLAN, RESTORE, HANDLER)
    notes = [f"variable {name} added" for name in now if name not in then and name not in ours and "*" not in then]
    for name, value in then.items():
        if name == "*":
            notes += ["variables changed"] * (value != short_hash(execution, now))
        elif name not in now:
            notes.append(f"variable {name} removed")
        elif value != short_hash(execution, now[name]):
            notes.append(f"variable {name} changed")
    arns = layers_of(config)
    notes += [f"layer {arn} added" for arn in arns if arn not in entry["l"]]
    notes += [f"layer {arn} removed" for arn in entry["l"] if arn not in arns]
    notes += ["order of layers"] * (sorted(arns) == sorted(entry["l"]) and arns != entry["l"])
    hashes = field_hashes(execution, config)
    notes += [f"field {key}" for at, key in enumerate(FIELDS) if hashes[4 * at : 4 * at + 4] != entry["f"][4 * at : 4 * at + 4]]
    notes += ["field Handler"] * (config.get("Handler", "") != entry["h"])
    return notes


def encode(value: Any) -> str:
    return base64.b64encode(zlib.compress(json.dumps(value, separators=(",", ":")).encode(), 9)).decode()


def decode(text: str) -> Any:
    """The value; None for what somebody else's hand left. The functions themselves still say what they need."""
    try:
        return json.loads(zlib.decompress(base64.b64decode(text)))
    except (ValueError, zlib.error):
        return None


def pack(entries: list[dict[str, Any]], execution: str) -> list[str]:
    """The record as parameter values: up to twenty functions each, fewer where they have much to say."""
    values: list[str] = []
    group: list[dict[str, Any]] = []
    for entry in entries:
        if len(encode([entry])) > VALUE_LIMIT:
            entry = {**entry, "v": {"*": short_hash(execution, entry["v"])}}
        if group and (len(group) == PER_VALUE or len(encode([*group, entry])) > VALUE_LIMIT):
            values.append(encode(group))
            group = []
        group.append(entry)
    return [*values, encode(group)] if group else values


def put(aws: Aws, name: str, value: str) -> None:
    aws.call("ssm", "put", "put_parameter", Name=name, Value=value, Type="String", Overwrite=True, Tier="Standard")


def put_record(aws: Aws, execution: str, options: dict[str, Any], entries: list[dict[str, Any]]) -> None:
    """Writes the record: what is to be attached, then the functions. Twice is the same as once."""
    text = encode(options)
    for at in range(0, len(text), VALUE_LIMIT):
        put(aws, f"{RECORD}{execution}/options{at // VALUE_LIMIT}", text[at : at + VALUE_LIMIT])
    for at, value in enumerate(pack(entries, execution)):
        put(aws, f"{RECORD}{execution}/{at:03}", value)


def parameters_under(aws: Aws, path: str) -> list[dict[str, Any]]:
    """All parameters below a path."""
    found: list[dict[str, Any]] = []
    more: dict[str, Any] = {}
    while True:
        page = aws.call("ssm", "get", "get_parameters_by_path", Path=path.rstrip("/"), Recursive=True, **more)
        found += page["Parameters"]
        if not page.get("NextToken"):
            return found
        more = {"NextToken": page["NextToken"]}


class Records:
    """Every record there is, or that of one execution, as read once."""

    def __init__(self, aws: Aws, execution: str = "") -> None:
        self.entries: dict[str, dict[str, dict[str, Any]]] = {}
        self.parameters: dict[str, list[str]] = {}
        options = ""
        for parameter in sorted(parameters_under(aws, RECORD + execution), key=lambda one: one["Name"]):
            _, _, _, owner, part = parameter["Name"].split("/")
            self.parameters.setdefault(owner, []).append(parameter["Name"])
            entries = self.entries.setdefault(owner, {})
            if part.startswith("options"):
                options += parameter["Value"] if owner == execution else ""
            else:
                entries.update({entry["n"]: entry for entry in decode(parameter["Value"]) or []})
        self.options: dict[str, Any] = decode(options) or {}


def delete_parameters(aws: Aws, names: list[str]) -> None:
    for at in range(0, len(names), 10):
        aws.call("ssm", "put", "delete_parameters", Names=names[at : at + 10])


def close(aws: Aws, execution: str, function: str = "") -> None:
    """Marks an execution closed, or closed for one function: nothing of it is attached from now on."""
    put(aws, CLOSED + execution + (f"/{function}" if function else ""), "closed")


def is_closed(aws: Aws, execution: str, function: str) -> bool:
    """Whether a roll-back has begun. To be asked after the read whose revision the next write names."""
    names = [CLOSED + execution, f"{CLOSED}{execution}/{function}"]
    return bool(aws.call("ssm", "get", "get_parameters", Names=names)["Parameters"])


def sweep_marks(aws: Aws) -> None:
    """Deletes closed marks older than a day: no script of theirs can still be running."""
    marks = parameters_under(aws, CLOSED)
    delete_parameters(aws, [mark["Name"] for mark in marks if mark["LastModifiedDate"].timestamp() < time.time() - DAY_S])


def parameter_text(aws: Aws, name: str) -> str:
    """The value of one parameter. Raises ValueError with what is wrong."""
    try:
        return str(aws.call("ssm", "get", "get_parameter", Name=name, WithDecryption=True)["Parameter"]["Value"])
    except Exception as error:
        if code_of(error) == "ParameterNotFound":
            raise ValueError(f"Plan: no parameter `{name}`") from None
        raise
