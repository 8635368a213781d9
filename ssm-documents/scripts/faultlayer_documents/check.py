"""What step `Attach` does first: finds the functions, refuses with every reason or writes the record. Changes no function."""

import json
from datetime import datetime, timezone
from typing import Any

from faultlayer_documents.aws import Aws, brief, code_of, counted, is_busy, settled
from faultlayer_documents.change import Options, attach_change, layer_for
from faultlayer_documents.names import LAYERS, disagreements, is_true, named
from faultlayer_documents.plan import timed_plan
from faultlayer_documents.refuse import (
    STEP_LIMIT_S,
    Layers,
    alias_reasons,
    claim_reasons,
    estimate,
    get_alias,
    longest_step,
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
    """What the step is told about attaching. The plan is not in it yet."""
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
    token: Any = ""
    while True:
        page = aws.call(
            "resourcegroupstaggingapi",
            "tags",
            "get_resources",
            ResourceTypeFilters=["lambda:function"],
            TagFilters=[{"Key": key, "Values": [value]}],
            PaginationToken=token,
        )
        found += [item["ResourceARN"] for item in page["ResourceTagMappingList"]]
        token = page.get("PaginationToken")
        if not token:
            return found


def functions_of(aws: Aws, events: dict[str, Any]) -> dict[str, list[str]]:
    """The functions, with how each was given. Raises Refused."""
    names = list(events.get("FunctionNames") or [])
    key, value = str(events.get("TagKey") or ""), str(events.get("TagValue") or "")
    if bool(names) == bool(key):
        raise Refused("give either `FunctionNames` or `TagKey` and `TagValue`")
    found, problems = named(aws, names or tagged(aws, key, value))
    if problems:
        raise Refused("; ".join(problems))
    if not found:
        raise Refused(f"no function has the tag `{key}` = `{value}`")
    longest = longest_step(len(found), bool(events.get("Alias")))
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


def examine(aws: Aws, options: Options, layers: Layers, entries: dict[str, dict[str, Any]], name: str, texts: list[str]) -> list[str]:
    """All reasons against a function. Where there are none, `entries` gets what the record says about it."""
    try:
        config = settled(aws, name)
    except Exception as error:
        if code_of(error) == "ResourceNotFoundException":
            return ["does not exist"]
        raise
    elsewhere = disagreements(config, texts)
    if elsewhere:
        return elsewhere
    unfit = runtime_reasons(config)
    found = unfit + claim_reasons(config)
    if is_busy(config):
        found.append("an update of it is still in progress after 60 s")
    elif config.get("LastUpdateStatus") == "Failed" or config.get("State") == "Failed":
        found.append(f"its last update failed ({config.get('LastUpdateStatusReason') or config.get('StateReason')})")
    if unfit:
        return found
    alias = get_alias(aws, name, options.alias) if options.alias else None
    if alias:
        found += alias_reasons(aws, config, alias)
    elif options.alias:
        found.append(f"has no alias `{options.alias}`")
    else:
        found += version_reasons(aws, config)
    found += room_reasons(config, options, alias)
    layer = layer_for(config, options)
    if layer:
        found += layers.reasons(config, layer) + layers.signing_reasons(name, layer)
    if not found:
        if alias:
            options.aliases[name] = alias
        _, marker = attach_change(config, options, alias)
        entries[name] = entry_of(options.execution, config, marker.text())
    return found


def check(aws: Aws, events: dict[str, Any]) -> tuple[dict[str, Any], Options, dict[str, dict[str, Any]]]:
    """Raises Refused, or writes the record. All reasons come together. Answers outputs, and what is to be attached to which functions."""
    options = options_of(events)
    refusals: list[str] = []
    names: dict[str, list[str]] = {}
    text, secret, minutes = "", False, int(events["DurationMinutes"])
    source, dry_run = str(events.get("PlanSource") or ""), is_true(events.get("DryRun"))
    told: dict[str, Any] = {"expires_at": "its source's end"}
    try:
        names = functions_of(aws, events)
    except Refused as error:
        refusals.append(str(error))
    if not 1 <= minutes <= LONGEST_MINUTES:
        refusals.append(f"DurationMinutes: expected 1 to {LONGEST_MINUTES}, got `{minutes}`")
    _, attach_s, rollback_s = estimate(len(names), bool(options.alias))

    def time_plan() -> list[str]:
        """Sets the plan's times. Answers why they cannot be."""
        try:
            timed = timed_plan(text, datetime.now(timezone.utc), attach_s, minutes, dry_run)
        except ValueError as error:
            return discreet([str(error)], secret)
        if source and "expires_at" not in json.loads(text):
            return [f"expires_at: the plan at `{source}` has none"]
        told.update(json.loads(timed))
        options.plan = source or timed
        return []

    options.plan = source
    if bool(source) == bool(events.get("Plan")):
        refusals.append("give either `Plan` or `PlanSource`")
    elif source and dry_run:
        refusals.append("DryRun: only with `Plan`; `dry_run` in a plan at its source says the same")
    elif not source.startswith(("file:", "appconfig:")):
        try:
            text, secret = plan_source(aws, stack_of(events), source or events["Plan"])
            # With times, for its size; they are set again below.
            refusals += discreet(plan_problems(text), secret) or time_plan()
        except ValueError as error:
            refusals += discreet([str(error)], secret)
    layers = Layers(aws)
    examined: dict[str, dict[str, Any]] = {}
    results = aws.each(lambda name: examine(aws, options, layers, examined, name, names[name]), names)
    for name, result in results.items():
        if isinstance(result, Exception):
            result = [f"could not be checked: {brief(result)}"]
        refusals += [f"`{name}`: {reason}" for reason in result]
    refusals = refusals or (time_plan() if text else [])
    if refusals:
        print("\n".join(refusals))
        raise Refused(f"nothing was changed; {counted(len(refusals), 'reason')}: " + "; ".join(refusals))
    entries = {name: examined[name] for name in names}
    record = put_record(aws, stack_of(events), options.execution, list(entries.values()))
    message = f"{counted(len(names), 'function')}: attaching takes about {attach_s} s, rolling back about {rollback_s} s"
    print(message)
    outputs = {
        "Functions": len(names),
        "Until": told["expires_at"],
        "Experiment": "secret" if secret else told.get("experiment", "unnamed"),
        "Estimate": message,
        "Hold": f"PT{minutes}M",
        "Record": record,
    }
    return outputs, options, entries
