"""Step `Replace` of Faultlayer-Change: gives the functions that an execution attached another plan.

At the plan's source where there is one, else by one update of each function under the revision that was read. What a function
had before is nothing that its roll-back needs: it takes off whatever plan is there.
"""

import json
import time
from datetime import datetime, timezone
from typing import Any

from faultlayer_documents.aws import Aws, brief, code_of, counted, is_busy, read, settled
from faultlayer_documents.change import Options, account_of, environment_size, layers_of, weights_of
from faultlayer_documents.check import discreet
from faultlayer_documents.confirm import NotChanged
from faultlayer_documents.marker import PLAN, RESTORE, owns, unreadable, variables
from faultlayer_documents.names import is_true
from faultlayer_documents.parse import parse_marker
from faultlayer_documents.plan import later_plan
from faultlayer_documents.refuse import ENVIRONMENT_LIMIT, get_alias
from faultlayer_documents.source import keep_source, source_of, write_source
from faultlayer_documents.store import (
    attach_output,
    bears_out,
    below,
    delete_parameters,
    execution_of,
    is_closed,
    parameter,
    plan_source,
    records,
    stack_of,
)
from faultlayer_documents.validate import plan_problems
from faultlayer_documents.writes import CLAIM_PATIENCE_S, NotWritten, Writes


class Replacer(Writes):
    """Changes one function's plan at a time; shared by the workers."""

    done = "changed"

    def held(self, name: str) -> dict[str, Any]:
        """The configuration of a function that the execution still holds."""
        try:
            config = settled(self.aws, name)
        except Exception as error:
            if code_of(error) == "ResourceNotFoundException":
                raise NotWritten("does not exist any more") from None
            raise
        values, marker = variables(config), self.entries[name]["m"]
        if unreadable(config):
            raise NotWritten(unreadable(config))
        if values.get(RESTORE) != marker or PLAN not in values:
            raise NotWritten("is not attached by this execution any more")
        if not any(owns(parse_marker(marker), arn, account_of(config)) for arn in layers_of(config)):
            raise NotWritten("somebody took its layer off")
        if is_busy(config):
            raise NotWritten("an update of it is still in progress after 60 s")
        return config

    def change(self, config: dict[str, Any]) -> dict[str, Any]:
        """The update that gives a function the plan. Raises NotWritten where it does not fit."""
        values = {**variables(config), PLAN: self.options.plan}
        size = environment_size(values)
        if size > ENVIRONMENT_LIMIT:
            raise NotWritten(f"its variables and the plan are {size} bytes together, the most is {ENVIRONMENT_LIMIT}")
        return {"Environment": {"Variables": values}}

    def __call__(self, name: str) -> bool:
        """Whether anything had to be changed."""
        ends, wrote = time.monotonic() + CLAIM_PATIENCE_S, False
        while True:
            config = self.held(name)
            if config.get("LastUpdateStatus") == "Failed" and wrote:
                raise NotWritten(f"its update failed: {config.get('LastUpdateStatusReason')}")
            if variables(config)[PLAN] == self.options.plan:
                break
            if wrote:
                raise NotWritten("somebody else changed its plan")
            change = self.change(config)
            self.go_on(name)
            wrote = bool(self.aws.write("update_function_configuration", config, FunctionName=name, **change))
            if not wrote:
                self.wait(ends)
        label = parse_marker(self.entries[name]["m"]).alias
        return (bool(label) and self.behind(name, config, label)) or wrote

    def behind(self, name: str, config: dict[str, Any], label: str) -> bool:
        """Publishes the plan for an alias' callers. Whether they had not got it."""
        alias = get_alias(self.aws, name, label)
        if alias is None:
            raise NotWritten(f"alias `{label}` is gone")
        values = variables(read(self.aws, name, alias["FunctionVersion"]))
        if values.get(RESTORE) != self.entries[name]["m"] or weights_of(alias):
            raise NotWritten(f"alias `{label}` was changed by somebody else")
        if values.get(PLAN) == self.options.plan:
            return False
        self.repoint(name, self.publish(name, config), alias)
        return True


def attaching(aws: Aws, stack: str, execution: str) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The execution that attached, and its record's entries. Raises NotChanged where it holds nothing."""
    try:
        found = execution_of(aws, execution)
    except Exception as error:
        if code_of(error).startswith("AutomationExecutionNotFound"):
            raise NotChanged(f"nothing was changed; there is no execution `{execution}`") from None
        raise
    record = records(aws, stack, execution)[0].get(execution)
    if not record:
        raise NotChanged(f"nothing was changed; execution `{execution}` has nothing attached")
    borne_out = bears_out(found, stack, record)
    if borne_out is None:
        raise NotChanged(f"nothing was changed; execution `{execution}` has not attached everything")
    if not borne_out:
        raise NotChanged(f"nothing was changed; the record of execution `{execution}` is not the one it wrote")
    return found, record.entries


def elsewhere(source: str) -> str:
    """How a source is changed that Systems Manager does not hold."""
    kind, _, at = source.partition(":")
    if kind == "file":
        return f"write the plan to `{at}`, where the functions read it"
    application, environment, profile = at.split("/")
    given = f"--application-id {application} --configuration-profile-id {profile}"
    return (
        f"deploy the plan with: aws appconfig create-hosted-configuration-version {given} --content-type application/json "
        f"--content fileb://PLAN OUT; aws appconfig start-deployment {given} --environment-id {environment} "
        "--configuration-version VERSION --deployment-strategy-id STRATEGY"
    )


def replace_source(aws: Aws, replacer: Replacer, names: list[str], name: str) -> bool:
    """Writes the plan to the parameter that functions read. Whether it was not there already; a roll-back that begins
    meanwhile finds the old one, or this puts it back."""
    stack, execution, plan = replacer.stack, replacer.options.execution, replacer.options.plan
    held = parameter(aws, name)
    if held["Type"] != "String":
        raise NotChanged(f"nothing was changed; `{name}` is a {held['Type']}: write the plan with your own key, `aws ssm put-parameter`")
    if held["Value"] == plan:
        return False
    for function in names:
        replacer.go_on(function)
    kept = keep_source(aws, stack, execution, held, plan)
    write_source(aws, name, plan)
    if any(is_closed(aws, stack, execution, replacer.began, function) for function in names):
        # It may have looked before the plan was written: nobody else would put back what stood there.
        write_source(aws, name, kept)
        delete_parameters(aws, [below(stack, "source") + execution])
        raise NotWritten("not changed, a roll-back of this execution has begun")
    return True


def replaced(aws: Aws, replacer: Replacer, source: str) -> dict[str, Any]:
    """Function → whether its plan was another, or why it has the old one. Refuses before anything where it does not fit."""
    found = aws.each(replacer.held, replacer.entries)
    good = {name: config for name, config in found.items() if not isinstance(config, Exception)}
    if source:
        other = NotWritten(f"does not read its plan from `{source}` any more")
        found |= {name: other for name, config in good.items() if variables(config)[PLAN] != source}
        names = [name for name, config in good.items() if found[name] is config]
        try:
            wrote: Any = bool(names) and replace_source(aws, replacer, names, source.removeprefix("parameter:"))
        except NotWritten as error:
            wrote = error
        return found | dict.fromkeys(names, wrote)
    tight = []
    for name, config in good.items():
        try:
            replacer.change(config)
        except NotWritten as error:
            tight.append(f"`{name}`: {error}")
    if tight:
        raise NotChanged(f"nothing was changed; {counted(len(tight), 'reason')}: " + "; ".join(tight))
    return found | aws.each(replacer, good)


def replace(events: dict[str, Any], context: Any) -> dict[str, Any]:
    """The step. Ends well also where functions are left, so that the report is an output; step `Confirm` fails then."""
    aws, stack, execution = Aws(), stack_of(events), str(events["ExecutionId"])
    found, entries = attaching(aws, stack, execution)
    source = source_of(found)
    if source and not source.startswith("parameter:"):
        raise NotChanged(f"nothing was changed; the plan is at `{source}`: {elsewhere(source)}")
    secret = False
    try:
        text, secret = plan_source(aws, stack, events["Plan"])
        problems = discreet(plan_problems(text), secret)
        dry_run = is_true(((found.get("Parameters") or {}).get("DryRun") or [""])[0])
        plan = "" if problems else later_plan(text, datetime.now(timezone.utc), attach_output(found, "Until"), dry_run)
    except ValueError as error:
        problems = discreet([str(error)], secret)
    if problems:
        raise NotChanged(f"nothing was changed; {counted(len(problems), 'reason')}: " + "; ".join(problems))
    began = found["ExecutionStartTime"].timestamp()
    results = replaced(aws, Replacer(aws, stack, began, Options(execution, {}, plan), entries), source)
    left = {name: brief(result) for name, result in results.items() if isinstance(result, Exception)}
    changed = [name for name, result in results.items() if result is True]
    report: dict[str, Any] = {
        "changed": changed,
        "unchanged": [name for name, result in results.items() if result is False],
        "left": left,
    }
    if source:
        report["source"] = source
    text = json.dumps(report, separators=(",", ":"))
    print(text)
    # No output may be empty.
    return {"Report": text, "Changed": len(changed), "Left": len(left), "Names": ", ".join(sorted(left))[:2000] or "none"}
