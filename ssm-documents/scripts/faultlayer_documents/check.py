"""Step `Check`: finds the functions, refuses with every reason or writes the record. Changes no function."""

import re
from datetime import datetime, timezone
from typing import Any

from faultlayer_documents.aws import Aws, brief, code_of, settled
from faultlayer_documents.change import Options, architecture_of, attach_change, kind_of
from faultlayer_documents.marker import RESTORE, variables
from faultlayer_documents.plan import parse_plan, plan_text, timed_plan
from faultlayer_documents.plan_schema import PLAN_SCHEMA
from faultlayer_documents.refuse import (
    STEP_LIMIT_S,
    Layers,
    alias_reasons,
    claim_reasons,
    estimate,
    get_alias,
    room_reasons,
    runtime_reasons,
    version_reasons,
)
from faultlayer_documents.schema import schema_problems
from faultlayer_documents.store import entry_of, put_record

# The longest `aws:sleep`.
LONGEST_MINUTES = 7 * 24 * 60 - 1


class Refused(Exception):
    """Nothing was changed; the text says why, all of it."""


def options_of(events: dict[str, Any]) -> Options:
    """What a step's payload says about attaching. The plan is not in it yet."""
    layers = {}
    for kind in ("python", "node", "java"):
        for key, architecture in (("X8664", "x86_64"), ("Arm64", "arm64")):
            layers[f"{kind}-{architecture}"] = str(events.get(f"{kind.capitalize()}Layer{key}") or "")
    return Options(
        execution=events["Execution"],
        layers={key: arn for key, arn in layers.items() if arn},
        alias=str(events.get("Alias") or ""),
        timeout=int(events.get("TimeoutSeconds") or 0),
        memory=int(events.get("MemoryMiB") or 0),
    )


def is_true(value: Any) -> bool:
    """A Boolean parameter, which arrives as a boolean or as text."""
    return str(value).lower() == "true"


def tagged(aws: Aws, key: str, value: str) -> list[str]:
    """The ARNs of all functions with a tag."""
    found: list[str] = []
    token = ""
    while True:
        page = aws.call(
            "resourcegroupstaggingapi",
            "tags",
            "get_resources",
            ResourceTypeFilters=["lambda:function"],
            TagFilters=[{"Key": key, "Values": [value]}],
            **({"PaginationToken": token} if token else {}),
        )
        found += [item["ResourceARN"] for item in page["ResourceTagMappingList"]]
        token = page.get("PaginationToken") or ""
        if not token:
            return found


def named(aws: Aws, names: list[str]) -> tuple[list[str], list[str]]:
    """Function names from names and ARNs, each once; and what is wrong with the rest."""
    found: list[str] = []
    problems: list[str] = []
    for text in names:
        parts = text.strip().split(":")
        if len(parts) == 1:
            name = parts[0]
        elif parts[0] == "arn" and len(parts) in (7, 8) and parts[2] == "lambda" and parts[5] == "function":
            name = parts[6]
            if parts[3] != aws.region:
                problems.append(f"`{text}`: is in `{parts[3]}`, this execution in `{aws.region}`")
            if len(parts) == 8 and parts[7] != "$LATEST":
                problems.append(f"`{text}`: names a version or alias; give the function, and `Alias`")
        else:
            name = ""
        if not re.fullmatch(r"[a-zA-Z0-9-_]{1,64}", name):
            problems.append(f"`{text}`: expected a function's name or ARN")
        elif name not in found:
            found.append(name)
    return found, problems


def functions_of(aws: Aws, events: dict[str, Any]) -> list[str]:
    """The functions an execution is about. Raises Refused."""
    names = list(events.get("FunctionNames") or [])
    key, value = str(events.get("TagKey") or ""), str(events.get("TagValue") or "")
    if bool(names) == bool(key):
        raise Refused("give either `FunctionNames` or `TagKey` and `TagValue`")
    found, problems = named(aws, names or tagged(aws, key, value))
    if problems:
        raise Refused("; ".join(problems))
    if not found:
        raise Refused(f"no function has the tag `{key}` = `{value}`")
    longest = max(estimate(len(found), bool(events.get("Alias"))))
    if longest > STEP_LIMIT_S:
        raise Refused(f"{len(found)} functions need a step of about {longest} s, the most is {STEP_LIMIT_S} s: use several executions")
    return found


def plan_problems(text: str) -> list[str]:
    """What is wrong with a plan by its schema, and with its ids, which no schema can say."""
    plan = parse_plan(text)
    found = schema_problems(plan, PLAN_SCHEMA)
    faults = plan.get("faults")
    ids = [fault.get("id") for fault in faults if isinstance(fault, dict)] if isinstance(faults, list) else []
    found += [f"faults[{at}].id: `{name}` stands twice" for at, name in enumerate(ids) if name and name in ids[:at]]
    return found


class Examination:
    """Looks at functions one by one; remembers the record's entry of each that is free."""

    def __init__(self, aws: Aws, options: Options) -> None:
        self.aws, self.options = aws, options
        self.layers = Layers(aws)
        self.entries: dict[str, dict[str, Any]] = {}

    def reasons(self, name: str) -> list[str]:
        """All reasons against attaching to this function now."""
        try:
            config = settled(self.aws, name)
        except Exception as error:
            if code_of(error) == "ResourceNotFoundException":
                return ["does not exist"]
            raise
        unfit = runtime_reasons(config)
        found = unfit + claim_reasons(config, self.options.execution)
        if config.get("LastUpdateStatus") == "InProgress" or config.get("State") == "Pending":
            found.append("an update of it is still in progress after 60 s")
        elif config.get("LastUpdateStatus") == "Failed" or config.get("State") == "Failed":
            found.append(f"its last update failed ({config.get('LastUpdateStatusReason') or config.get('StateReason')})")
        if unfit or RESTORE in variables(config):
            # Marked by this very execution: the step was run again, and the record has it.
            return found
        alias = get_alias(self.aws, name, self.options.alias) if self.options.alias else None
        if alias:
            found += alias_reasons(self.aws, config, alias)
        elif self.options.alias:
            found.append(f"has no alias `{self.options.alias}`")
        else:
            found += version_reasons(self.aws, config)
        found += room_reasons(config, self.options, alias)
        layer = self.options.layers.get(f"{kind_of(config)}-{architecture_of(config)}", "")
        if layer:
            found += self.layers.reasons(config, layer) + self.layers.signing_reasons(name, layer)
        if not found:
            _, marker = attach_change(config, self.options, alias)
            self.entries[name] = entry_of(self.options.execution, config, marker.text())
        return found


def check(events: dict[str, Any], context: Any) -> dict[str, Any]:
    """The step. Raises Refused, or answers with the number of functions and the estimate."""
    aws, options = Aws(), options_of(events)
    refusals: list[str] = []
    text, names, minutes, dry_run = "", [], int(events["DurationMinutes"]), is_true(events.get("DryRun"))
    try:
        names = functions_of(aws, events)
    except Refused as error:
        refusals.append(str(error))
    if not 1 <= minutes <= LONGEST_MINUTES:
        refusals.append(f"DurationMinutes: expected 1 to {LONGEST_MINUTES}, got `{minutes}`")
    _, attach_s, rollback_s = estimate(len(names), bool(options.alias))
    try:
        text = plan_text(aws, events["Plan"])
        refusals += plan_problems(text)
        if not refusals:
            # For its size; the times are set again below.
            options.plan = timed_plan(text, datetime.now(timezone.utc), attach_s, minutes, dry_run)
    except ValueError as error:
        refusals.append(str(error))
    examination = Examination(aws, options)
    results = aws.each(examination.reasons, names)
    for name, result in results.items():
        if isinstance(result, Exception):
            result = [f"could not be checked: {brief(result)}"]
        refusals += [f"`{name}`: {reason}" for reason in result]
    if not refusals:
        try:
            options.plan = timed_plan(text, datetime.now(timezone.utc), attach_s, minutes, dry_run)
        except ValueError as error:
            refusals.append(str(error))
    if refusals:
        print("\n".join(refusals))
        raise Refused(f"nothing was changed; {len(refusals)} reasons: " + "; ".join(refusals))
    put_record(aws, options.execution, vars(options), [entry for entry in map(examination.entries.get, names) if entry])
    message = f"{len(names)} functions: attaching takes about {attach_s} s, rolling back about {rollback_s} s"
    print(message)
    return {"Functions": len(names), "AttachSeconds": attach_s, "RollbackSeconds": rollback_s, "Estimate": message, "Hold": f"PT{minutes}M"}
