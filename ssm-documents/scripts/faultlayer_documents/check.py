"""What step `Attach` does first: finds the functions, refuses with every reason or writes the record. Changes no function."""

import json
from datetime import datetime, timezone
from typing import Any

from faultlayer_documents.aws import Aws, brief, code_of, counted, settled
from faultlayer_documents.change import Options, architecture_of, attach_change, kind_of
from faultlayer_documents.names import LAYERS, disagreements, is_true, named
from faultlayer_documents.plan import timed_plan
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
from faultlayer_documents.store import entry_of, plan_source, put_record, stack_of
from faultlayer_documents.validate import plan_problems

# The longest `aws:sleep`.
LONGEST_MINUTES = 7 * 24 * 60 - 1


class Refused(Exception):
    """Nothing was changed; the text says why, all of it."""


def options_of(events: dict[str, Any]) -> Options:
    """What a step's payload says about attaching. The plan is not in it yet."""
    return Options(
        execution=events["Execution"],
        layers={key: str(events[name]) for key, name in LAYERS.items() if events.get(name)},
        alias=str(events.get("Alias") or ""),
        timeout=int(events.get("TimeoutSeconds") or 0),
        memory=int(events.get("MemoryMiB") or 0),
    )


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


def functions_of(aws: Aws, events: dict[str, Any]) -> dict[str, list[str]]:
    """The functions an execution is about, with how each was given. Raises Refused."""
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
        raise Refused(
            f"{counted(len(found), 'function')} need a step of about {longest} s, the most is {STEP_LIMIT_S} s: use several executions"
        )
    return found


def discreet(problems: list[str], secret: bool) -> list[str]:
    """What is wrong with a plan; of one that came from a SecureString, where, and no value."""
    if not secret:
        return problems
    return [
        f"{problem.split(':')[0].split('`')[0]}: is refused; the plan is a secret, `faultlayer plan check` says why" for problem in problems
    ]


class Examination:
    """Looks at functions one by one; remembers the record's entry of each that is free."""

    def __init__(self, aws: Aws, options: Options, names: dict[str, list[str]]) -> None:
        self.aws, self.options, self.names = aws, options, names
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
        elsewhere = disagreements(config, self.names[name])
        if elsewhere:
            return elsewhere
        unfit = runtime_reasons(config)
        found = unfit + claim_reasons(config)
        if config.get("LastUpdateStatus") == "InProgress" or config.get("State") == "Pending":
            found.append("an update of it is still in progress after 60 s")
        elif config.get("LastUpdateStatus") == "Failed" or config.get("State") == "Failed":
            found.append(f"its last update failed ({config.get('LastUpdateStatusReason') or config.get('StateReason')})")
        if unfit:
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


def check(aws: Aws, events: dict[str, Any]) -> tuple[dict[str, Any], Options, dict[str, dict[str, Any]]]:
    """Raises Refused with every reason, or writes the record. Answers outputs, and what is to be attached to which functions."""
    options = options_of(events)
    refusals: list[str] = []
    names: dict[str, list[str]] = {}
    text, secret, minutes, dry_run = "", False, int(events["DurationMinutes"]), is_true(events.get("DryRun"))
    try:
        names = functions_of(aws, events)
    except Refused as error:
        refusals.append(str(error))
    if not 1 <= minutes <= LONGEST_MINUTES:
        refusals.append(f"DurationMinutes: expected 1 to {LONGEST_MINUTES}, got `{minutes}`")
    _, attach_s, rollback_s = estimate(len(names), bool(options.alias))
    try:
        text, secret = plan_source(aws, stack_of(events), events["Plan"])
        found = plan_problems(text)
        refusals += discreet(found, secret)
        if not found:
            # For its size; the times are set again below.
            options.plan = timed_plan(text, datetime.now(timezone.utc), attach_s, minutes, dry_run)
    except ValueError as error:
        refusals += discreet([str(error)], secret)
    examination = Examination(aws, options, names)
    results = aws.each(examination.reasons, names)
    for name, result in results.items():
        if isinstance(result, Exception):
            result = [f"could not be checked: {brief(result)}"]
        refusals += [f"`{name}`: {reason}" for reason in result]
    if not refusals:
        try:
            options.plan = timed_plan(text, datetime.now(timezone.utc), attach_s, minutes, dry_run)
        except ValueError as error:
            refusals += discreet([str(error)], secret)
    if refusals:
        print("\n".join(refusals))
        raise Refused(f"nothing was changed; {counted(len(refusals), 'reason')}: " + "; ".join(refusals))
    entries = {name: examination.entries[name] for name in names}
    record = put_record(aws, stack_of(events), options.execution, list(entries.values()))
    message = f"{counted(len(names), 'function')}: attaching takes about {attach_s} s, rolling back about {rollback_s} s"
    print(message)
    plan = json.loads(options.plan)
    outputs = {
        "Functions": len(names),
        "Until": plan["expires_at"],
        "Experiment": "secret" if secret else plan.get("experiment", "unnamed"),
        "AttachSeconds": attach_s,
        "RollbackSeconds": rollback_s,
        "Estimate": message,
        "Hold": f"PT{minutes}M",
        "Record": record,
    }
    return outputs, options, entries
