"""What an execution leaves in Parameter Store, below the stack's own path: its record (which functions, what they were
like) and the closed marks.

Of variables a record holds names and short salted hashes, never values. It serves drift reports and finding functions; more
is done by its word only as far as Automation itself, or the functions, bear it out (`borne_out`).
"""

import base64
import hashlib
import json
import re
import time
from typing import Any

from faultlayer_documents.aws import Aws, code_of
from faultlayer_documents.change import FIELDS, layers_of
from faultlayer_documents.marker import HANDLER, PLAN, RESTORE, variables
from faultlayer_documents.parse import UUID, pack, parse_entries, unpack

VALUE_LIMIT, PER_VALUE = 4096, 20
DAY_S = 86400


def stack_of(events: dict[str, Any]) -> str:
    """The stack an execution belongs to; its documents' names begin with it, its parameters lie below `/faultlayer/STACK/`."""
    return str(events.get("Stack") or "Faultlayer")


def below(stack: str, kind: str) -> str:
    """A path of the stack's. `record`, `closed`, `source` or `once`."""
    return f"/faultlayer/{stack}/{kind}/"


def short_hash(execution: str, value: Any) -> str:
    """Four characters that tell values apart. Salted, and too short to guess a value from."""
    text = execution + json.dumps(value, sort_keys=True, default=str)
    return base64.b64encode(hashlib.sha256(text.encode()).digest()[:3]).decode()


def field_hashes(execution: str, config: dict[str, Any]) -> str:
    """The hashes of all FIELDS in one string."""
    return "".join(short_hash(execution, config.get(key)) for key in FIELDS)


def entry_of(execution: str, config: dict[str, Any], marker_text: str) -> dict[str, Any]:
    """What the record says about a function. Before it is touched."""
    return {
        "n": config["FunctionName"],
        "m": marker_text,
        "h": config.get("Handler", ""),
        "l": layers_of(config),
        "v": {name: short_hash(execution, value) for name, value in variables(config).items()},
        "f": field_hashes(execution, config),
        "c": str(config.get("CodeSha256", "")) if ",a=" in marker_text else "",
    }


def drift(execution: str, entry: dict[str, Any], config: dict[str, Any]) -> list[str]:
    """What differs between the record and a restored function."""
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


def record_values(entries: list[dict[str, Any]], execution: str) -> list[str]:
    """The record as parameter values. Up to twenty functions each, fewer where they have much to say."""
    values: list[str] = []
    group: list[dict[str, Any]] = []
    for entry in entries:
        if len(pack([entry])) > VALUE_LIMIT:
            entry = {**entry, "v": {"*": short_hash(execution, entry["v"])}}
        if group and (len(group) == PER_VALUE or len(pack([*group, entry])) > VALUE_LIMIT):
            values.append(pack(group))
            group = []
        group.append(entry)
    return [*values, pack(group)] if group else values


def put(aws: Aws, name: str, value: str) -> None:
    aws.call("ssm", "put", "put_parameter", Name=name, Value=value, Type="String", Overwrite=True, Tier="Standard")


def hash_of(parts: dict[str, str]) -> str:
    """A hash over all parameters of a record."""
    return hashlib.sha256(json.dumps(sorted(parts.items())).encode()).hexdigest()


def put_record(aws: Aws, stack: str, execution: str, entries: list[dict[str, Any]]) -> str:
    """Writes the record; its hash. Twice is the same as once."""
    parts = {f"{at:03}": value for at, value in enumerate(record_values(entries, execution))}
    for part, value in parts.items():
        put(aws, f"{below(stack, 'record')}{execution}/{part}", value)
    return hash_of(parts)


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


class Record:
    """One execution's record as it was read: `entries` by function, and the parameters it was read from."""

    def __init__(self) -> None:
        self.entries: dict[str, dict[str, Any]] = {}
        self.parts: dict[str, str] = {}
        self.names: list[str] = []
        self.unread: list[str] = []
        self.written = 0.0


def records(aws: Aws, stack: str, execution: str = "") -> tuple[dict[str, Record], list[str]]:
    """Every record, or one execution's. And the parameters that belong to none."""
    found: dict[str, Record] = {}
    strays: list[str] = []
    path = below(stack, "record")
    for parameter in parameters_under(aws, path + execution):
        name = re.fullmatch("(" + UUID + r")/(\d\d\d)", parameter["Name"].removeprefix(path))
        if not name:
            strays.append(parameter["Name"])
            continue
        record = found.setdefault(name[1], Record())
        record.names.append(parameter["Name"])
        record.parts[name[2]] = parameter["Value"]
        record.written = max(record.written, parameter["LastModifiedDate"].timestamp())
        try:
            record.entries.update({entry["n"]: entry for entry in parse_entries(unpack(parameter["Value"]), name[1])})
        except ValueError:
            record.unread.append(parameter["Name"])
    return found, strays


def execution_of(aws: Aws, execution: str) -> dict[str, Any]:
    """What Automation says of an execution."""
    answer: dict[str, Any] = aws.call("ssm", "automation", "get_automation_execution", AutomationExecutionId=execution)
    return dict(answer["AutomationExecution"])


def borne_out(aws: Aws, stack: str, execution: str, record: Record) -> bool | None:
    """Whether a record is the one that its execution wrote. Which it says in an output that nobody else can put; None while
    the execution has not said so, or where attaching failed."""
    try:
        found = execution_of(aws, execution)
    except Exception as error:
        if code_of(error).startswith("AutomationExecutionNotFound"):
            return False
        raise
    return bears_out(found, stack, record)


def bears_out(found: dict[str, Any], stack: str, record: Record) -> bool | None:
    """The same, of an execution that was read."""
    if found["DocumentName"] not in (f"{stack}-Attach", f"{stack}-Experiment"):
        return False
    said = attach_output(found, "Record")
    return said == hash_of(record.parts) if said else None


def attach_output(found: dict[str, Any], name: str) -> str:
    """What an execution's step `Attach` has put out, or nothing."""
    outputs = [step.get("Outputs") or {} for step in found["StepExecutions"] if step["StepName"] == "Attach"]
    return str(next((one[name][0] for one in outputs if one.get(name)), ""))


def delete_parameters(aws: Aws, names: list[str]) -> None:
    for at in range(0, len(names), 10):
        aws.call("ssm", "put", "delete_parameters", Names=names[at : at + 10])


def close(aws: Aws, stack: str, what: str) -> None:
    """Sets a mark. Nothing is attached any more by `EXECUTION`, or, of executions begun before now, to `function/NAME` or
    to any function (`all`)."""
    put(aws, below(stack, "closed") + what, "closed")


def is_closed(aws: Aws, stack: str, execution: str, began: float, function: str) -> bool:
    """Whether a roll-back has begun. To be asked after the read whose revision the next write names."""
    path = below(stack, "closed")
    own = path + execution
    marks = aws.call("ssm", "get", "get_parameters", Names=[own, path + "all", f"{path}function/{function}"])["Parameters"]
    return any(mark["Name"] == own or mark["LastModifiedDate"].timestamp() >= began for mark in marks)


def sweep_marks(aws: Aws, stack: str, all_of_them: bool) -> None:
    """Deletes closed marks older than a day. No script of theirs can still be running. Plans for one execution that
    nobody fetched go with them."""
    found = parameters_under(aws, below(stack, "closed")) + parameters_under(aws, below(stack, "once"))
    old = time.time() - DAY_S
    delete_parameters(aws, [mark["Name"] for mark in found if all_of_them or mark["LastModifiedDate"].timestamp() < old])


def parameter(aws: Aws, name: str) -> dict[str, Any]:
    """A parameter as it is. Raises ValueError where there is none."""
    try:
        answer: dict[str, Any] = aws.call("ssm", "get", "get_parameter", Name=name, WithDecryption=True)["Parameter"]
        return answer
    except Exception as error:
        if code_of(error) == "ParameterNotFound":
            raise ValueError(f"Plan: no parameter `{name}`") from None
        raise


def plan_source(aws: Aws, stack: str, plan: Any) -> tuple[str, bool]:
    """The plan's text, and whether it is a secret. From the parameter `Plan` or the one it names. A parameter below
    `once/` was made for this execution alone and is deleted. Raises ValueError with what is wrong."""
    if not isinstance(plan, str):
        return json.dumps(plan, separators=(",", ":"), ensure_ascii=False), False
    if not plan.startswith("parameter:"):
        return plan, False
    name = plan.removeprefix("parameter:")
    found = parameter(aws, name)
    if name.startswith(below(stack, "once")):
        delete_parameters(aws, [name])
    return str(found["Value"]), found.get("Type") == "SecureString"
