"""The parameter that functions read a live plan from: a change writes it, a roll-back puts back what stood there.

What stood there is kept below the stack's own path, with short hashes of what this execution wrote: what is neither is the
owner's and stays.
"""

from typing import Any

from faultlayer_documents.aws import Aws
from faultlayer_documents.confirm import NotChanged
from faultlayer_documents.parse import pack, parse_note
from faultlayer_documents.store import VALUE_LIMIT, below, delete_parameters, execution_of, parameter, put, short_hash


def source_of(found: dict[str, Any]) -> str:
    """Where an execution's functions read their plan, or nothing for one of their own."""
    return str(((found.get("Parameters") or {}).get("PlanSource") or [""])[0])


def write_source(aws: Aws, name: str, value: str) -> None:
    """Another value of a parameter that is there. Its tier and all else stay."""
    aws.call("ssm", "put", "put_parameter", Name=name, Value=value, Type="String", Overwrite=True)


def keep_source(aws: Aws, stack: str, execution: str, held: dict[str, Any], plan: str) -> str:
    """Notes what a parameter holds before `plan` is written to it. Answers what a roll-back puts back; raises NotChanged where
    that cannot be kept."""
    path, now = below(stack, "source") + execution, short_hash(execution, held["Value"])
    try:
        note = parse_note(parameter(aws, path)["Value"])
    except ValueError:
        note = {"w": []}
    # Where an earlier change of this execution wrote what stands there, the first is kept; else it is the owner's.
    ours = now in note["w"]
    value = {"n": held["Name"], "t": note["t"] if ours else held["Value"], "w": [short_hash(execution, plan), *[now] * ours]}
    if len(pack(value)) > VALUE_LIMIT:
        raise NotChanged(f"nothing was changed; what `{held['Name']}` holds is too long to be kept for the roll-back")
    put(aws, path, pack(value))
    return str(value["t"])


def put_source_back(aws: Aws, execution: str, note: dict[str, Any]) -> str:
    """Puts back what stood at an execution's source and deletes the note. What is not ours stays, and is said; raises
    ValueError for a note that is none of that execution's."""
    kept, said = parse_note(note["Value"]), ""
    name = kept["n"]
    if source_of(execution_of(aws, execution)) != f"parameter:{name}":
        raise ValueError("names another parameter than its execution")
    try:
        value = parameter(aws, name)["Value"]
        if short_hash(execution, value) in kept["w"]:
            write_source(aws, name, kept["t"])
        elif value != kept["t"]:
            said = f"parameter {name} changed"
    except ValueError:
        said = f"parameter {name} is gone"
    delete_parameters(aws, [note["Name"]])
    return said
