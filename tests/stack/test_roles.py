"""The stack's two roles may do exactly what the documents and the experiments need: everything ends well with them, and taking
away a statement, an action or a resource breaks something."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError
from client import Lab, archive, command, statuses, until

from rights import ACCOUNT, OPT_IN, OWN, PATIENCE_S, POLICIES, REGION, ROLES, ROOT, TARGET_KEY, Part, Stack, parts, statements

# One of each kind, where not everything is asked for.
SOME = {
    "AutomationPolicy-Attach",
    "AutomationPolicy-KeepRecords-ssm:PutParameter",
    "AutomationPassesItself-PassItselfToTheRollback",
    "AutomationRole-SystemsManager",
    "ExperimentPolicy-WatchAndStop-ssm:StopAutomationExecution",
    "ExperimentPolicy-LookAtAlarms",
}
EVERYTHING = bool(os.environ.get("FAULTLAYER_EVERY_RIGHT"))
CHOSEN = {role: [part for part in parts(role) if EVERYTHING or str(part) in SOME] for role in ROLES}
# Experiments that are active at a time.
MOST = 5


@pytest.fixture
def lab(shared_lab: Lab) -> Lab:
    # Roles that the stack does not make may do nothing either.
    return shared_lab.emptied(update_ms=20, speed=100, permissions="enforced")


@pytest.fixture
def stack(lab: Lab) -> Stack:
    return Stack(lab, "chaos")


def statements_used(lab: Lab) -> set[str]:
    """The statements that allowed something."""
    rows = lab.ask("GET", "/calls")["calls"]
    return {statement for row in rows if row["outcome"] == "ok" for statement in row["statements"] if statement}


def marked(stack: Stack, names: list[str]) -> dict[str, bool]:
    return {name: stack.is_attached(name) for name in names}


# --- everything ends well with them


def test_an_experiment_attaches_holds_and_restores_functions_of_every_runtime(lab: Lab, stack: Stack) -> None:
    names = [stack.function(language) for language in OWN]
    before = {name: stack.snapshot(name) for name in names}
    done = stack.over(stack.experiment(**{name: stack.action("Experiment", name, DurationMinutes="1") for name in names}))
    assert done["state"]["status"] == "completed", done
    assert {name: stack.snapshot(name) for name in names} == before
    for execution in stack.executions("Experiment"):
        assert stack.report(lab.execution(execution))["restored"] == 1


def test_a_function_behind_an_alias_is_attached_and_restored_with_its_versions(stack: Stack) -> None:
    name = stack.behind_an_alias()
    before = stack.snapshot(name)
    found = stack.run("Experiment", TagKey=TARGET_KEY, TagValue=stack.name, Alias="live", DurationMinutes="1")
    assert found["AutomationExecutionStatus"] == "Success", found["FailureMessage"]
    assert stack.snapshot(name) == before


def test_attached_functions_are_rolled_back_by_name_and_all_together(stack: Stack) -> None:
    names = [stack.function(language) for language in OWN]
    before = {name: stack.snapshot(name) for name in names}
    assert stack.over(stack.experiment(a=stack.action("Attach", names[0])))["state"]["status"] == "completed"
    stack.run("Attach", FunctionNames=names[1:])
    assert marked(stack, names) == dict.fromkeys(names, True)
    by_name = stack.run("Rollback", FunctionNames=names[:1])
    assert by_name["AutomationExecutionStatus"] == "Success", by_name["FailureMessage"]
    assert marked(stack, names) == {name: name != names[0] for name in names}
    everything = stack.run("Rollback", AllMarked="true", DeleteMarks="true")
    assert everything["AutomationExecutionStatus"] == "Success", everything["FailureMessage"]
    assert {name: stack.snapshot(name) for name in names} == before
    assert stack.kept() == {"plan": 1}


def test_what_is_attached_gets_another_plan_at_each_function_or_where_they_read_it(lab: Lab, stack: Stack) -> None:
    name, other = stack.behind_an_alias(), json.dumps({"version": 1, "faults": [{"id": "other", "kind": "timeout", "rate": 0}]})
    before, source = stack.snapshot(name), stack.path("plan/live")
    extension = lab.functions.publish_layer_version(
        LayerName="AWS-Parameters-and-Secrets-Lambda-Extension", Content={"ZipFile": archive(x="1")}
    )["LayerVersionArn"]
    live = stack.function("node", Layers=[extension])
    lab.ssm.put_parameter(Name=source, Value=other.replace("{", '{"expires_at": "2096-01-01T00:00:00Z",', 1), Type="String")
    for given in ({"FunctionNames": name, "Alias": "live"}, {"FunctionNames": live, "PlanSource": f"parameter:{source}"}):
        attached = stack.run("Attach", **given)
        assert attached["AutomationExecutionStatus"] == "Success", attached["FailureMessage"]
        execution = attached["AutomationExecutionId"]
        changed = stack.run("Change", ExecutionId=execution, Plan=other.replace("other", "third"))
        assert changed["AutomationExecutionStatus"] == "Success", changed["FailureMessage"]
        back = stack.run("Rollback", ExecutionId=execution)
        assert back["AutomationExecutionStatus"] == "Success", back["FailureMessage"]
    assert stack.snapshot(name) == before
    assert "third" not in lab.ssm.get_parameter(Name=source)["Parameter"]["Value"]


def test_a_cancelled_execution_restores_through_its_roll_back(lab: Lab, stack: Stack) -> None:
    name = stack.function()
    before = stack.snapshot(name)
    execution = stack.start("Experiment", FunctionNames=name, DurationMinutes="600")
    until(lambda: stack.holds(execution), bool, PATIENCE_S)
    assert stack.is_attached(name)
    lab.ssm.stop_automation_execution(AutomationExecutionId=execution, Type="Cancel")
    assert stack.ended(execution)["AutomationExecutionStatus"] == "Cancelled"
    [back] = until(lambda: stack.executions("Rollback"), bool, PATIENCE_S)
    assert stack.ended(back)["AutomationExecutionStatus"] == "Success"
    assert stack.snapshot(name) == before


def test_a_function_without_the_opt_in_tag_is_refused_before_anything_changes(stack: Stack) -> None:
    names = [stack.function("python"), stack.function("node", tags={})]
    before = {name: stack.snapshot(name) for name in names}
    revisions = {name: stack.lab.settled(name)["RevisionId"] for name in names}
    found = stack.run("Experiment", FunctionNames=names, DurationMinutes="1")
    assert found["AutomationExecutionStatus"] == "Failed"
    told = " ".join(step.get("FailureMessage", "") for step in found["StepExecutions"])
    assert f"`{names[1]}`: " in told
    assert "is not authorized to perform: lambda:GetFunction" in told
    assert {name: stack.snapshot(name) for name in names} == before
    # The roll-back moves the revision of nothing that was never to be attached.
    assert {name: stack.lab.settled(name)["RevisionId"] for name in names} == revisions


def test_a_tag_taken_off_in_mid_experiment_leaves_the_function_named_and_the_plan_to_its_expiry(lab: Lab, stack: Stack) -> None:
    names = [stack.function("python"), stack.function("node")]
    before = {name: stack.snapshot(name) for name in names}
    execution = stack.start("Experiment", FunctionNames=names, DurationMinutes="20")
    until(lambda: stack.holds(execution), bool, PATIENCE_S)
    arn = before[names[0]]["FunctionArn"]
    lab.functions.untag_resource(Resource=arn, TagKeys=list(OPT_IN))
    found = stack.ended(execution)
    assert found["AutomationExecutionStatus"] == "Failed"
    assert names[0] in found["FailureMessage"]
    [back] = stack.executions("Rollback")
    report = stack.report(lab.execution(back))
    assert list(report["left"]) == [names[0]]
    assert "is not authorized to perform: lambda:GetFunction" in report["left"][names[0]]
    assert marked(stack, names) == {names[0]: True, names[1]: False}
    assert stack.snapshot(names[1]) == before[names[1]]
    # What is left ends by itself: the plan has its end, that of the hold.
    plan = lab.functions.get_function_configuration(FunctionName=names[0])["Environment"]["Variables"]["FAULTLAYER_PLAN"]
    assert '"expires_at":"20' in plan
    lab.functions.tag_resource(Resource=arn, Tags=OPT_IN)
    again = stack.run("Rollback", ExecutionId=execution)
    assert again["AutomationExecutionStatus"] == "Success", again["FailureMessage"]
    assert {name: stack.snapshot(name) for name in names} == before


def test_a_function_deleted_in_mid_experiment_is_reported_as_gone_and_holds_nothing_up(lab: Lab, stack: Stack) -> None:
    names = [stack.function("python"), stack.function("node")]
    before = stack.snapshot(names[1])
    execution = stack.start("Experiment", FunctionNames=names, DurationMinutes="600")
    until(lambda: stack.holds(execution), bool, PATIENCE_S)
    lab.functions.delete_function(FunctionName=names[0])
    lab.ssm.stop_automation_execution(AutomationExecutionId=execution, Type="Cancel")
    stack.ended(execution)
    [back] = until(lambda: stack.executions("Rollback"), bool, PATIENCE_S)
    # What is not there has no tag: Lambda says no instead of saying so.
    report = stack.report(stack.ended(back))
    assert (report["gone"], report["left"]) == ([names[0]], {})
    assert stack.snapshot(names[1]) == before
    assert stack.kept() == {"plan": 1, "closed": 1}


def test_the_rights_that_the_page_names_suffice_for_the_command(lab: Lab, stack: Stack) -> None:
    page = (ROOT / "fis" / "README.md").read_text().split("## Permissions")[1].split("\n## ")[0]
    actions = sorted(set(re.findall(r"`((?:fis|ssm):\w+)`", page)))
    assert "fis:StartExperiment" in actions
    allowed = [
        {"Effect": "Allow", "Action": actions, "Resource": "*"},
        {"Effect": "Allow", "Action": "iam:PassRole", "Resource": stack.values["ExperimentRole.Arn"]},
    ]
    trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    iam = lab.client("iam")
    iam.create_role(RoleName="starter", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
    document = json.dumps({"Version": "2012-10-17", "Statement": allowed})
    iam.put_role_policy(RoleName="starter", PolicyName="p", PolicyDocument=document)
    role = f"arn:aws:iam::{ACCOUNT}:role/starter"
    keys = lab.client("sts").assume_role(RoleArn=role, RoleSessionName="starter")["Credentials"]
    environment = {
        "AWS_ENDPOINT_URL": lab.url, "AWS_REGION": REGION, "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"], "AWS_SESSION_TOKEN": keys["SessionToken"],
    }  # fmt: skip

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [command(), "experiment", *arguments], env=environment, capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    name = stack.function()
    plan = '{"version": 1, "faults": [{"id": "slow", "kind": "latency", "rate": 1, "delay_ms": 5}]}'
    alarm = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{stack.name}-stop"
    given = ["--stack", stack.name, "--role", stack.values["ExperimentRole.Arn"], "--stop-alarm", alarm]
    lab.settings(speed=20)
    made = run("create", name, "--plan", plan, "--minutes", "1", *given)
    assert json.loads(run("start", made, "--stack", stack.name, "--json"))["state"] == "completed"
    assert made in run("list", "--templates")


# --- and taking away a part breaks something


def automation_story(stack: Stack) -> dict[str, Any]:
    """An execution that comes by nearly everything: by tag, behind an alias, with a plan from a parameter; then one by name on a
    function without an alias, which is left attached. What became of them."""
    name, plain = stack.behind_an_alias(), stack.function("node")
    before = stack.snapshot(name)
    try:
        found = stack.run("Experiment", TagKey=TARGET_KEY, TagValue=stack.name, Alias="live", DurationMinutes="1")
    except ClientError as error:
        if "unable to be assumed" in str(error):
            return {"refused": str(error)}
        raise
    by_name = stack.run("Attach", FunctionNames=plain)
    for back in stack.executions("Rollback"):
        stack.ended(back)
    return {
        "by name": by_name["AutomationExecutionStatus"],
        "status": found["AutomationExecutionStatus"],
        "steps": statuses(found),
        "report": stack.report(found),
        "restored": stack.snapshot(name) == before,
        "kept": stack.kept(),
    }


def experiment_story(stack: Stack) -> dict[str, Any]:
    """One experiment with an alarm and a log that attaches one function and is stopped while it holds another."""
    left, held = stack.function("python"), stack.function("node")
    experiment = stack.experiment(
        leave=stack.action("Attach", left), hold=stack.action("Experiment", held, DurationMinutes="600")
    )

    def holding() -> bool:
        seen = stack.seen(experiment)
        is_left = seen["actions"]["leave"]["state"]["status"] in ("completed", "failed")
        return "endTime" in seen or (is_left and any(map(stack.holds, stack.executions("Experiment"))))

    until(holding, bool, PATIENCE_S)
    if "endTime" not in stack.seen(experiment):
        stack.lab.client("fis").stop_experiment(id=experiment)
    over = stack.over(experiment)
    for execution in [one for kind in ("Attach", "Rollback") for one in stack.executions(kind)]:
        stack.ended(execution)
    return {
        "status": over["state"]["status"],
        "actions": {name: action["state"]["status"] for name, action in over["actions"].items()},
        "attached": marked(stack, [left, held]),
    }


STORIES = {"AutomationRole": automation_story, "ExperimentRole": experiment_story}
WELL: dict[str, dict[str, Any]] = {
    "AutomationRole": {"status": "Success", "restored": True, "by name": "Success"},
    "ExperimentRole": {"status": "stopped", "actions": {"leave": "completed", "hold": "stopped"}},
}


@pytest.fixture(scope="module")
def told(shared_lab: Lab) -> Iterator[dict[str, Future[dict[str, Any]]]]:
    """The story of each role, whole and without each of the chosen parts, each in a stack of its own, several at a time."""
    lab = shared_lab.emptied(update_ms=20, speed=100, permissions="enforced")
    for service in ("lambda", "ssm", "fis", "iam", "cloudwatch"):
        lab.client(service)

    def story(number: int, role: str, part: Part | None) -> dict[str, Any]:
        return STORIES[role](Stack(lab, f"s{number}", part))

    cases = [(role, part) for role in ROLES for part in [None, *CHOSEN[role]]]
    with ThreadPoolExecutor(MOST) as pool:
        yield {str(part or role): pool.submit(story, number, role, part) for number, (role, part) in enumerate(cases)}
        pool.shutdown(cancel_futures=True)


def test_what_is_taken_away_by_default_is_still_there() -> None:
    assert {str(part) for role in ROLES for part in parts(role)} >= SOME


@pytest.mark.parametrize("role", ROLES)
def test_with_the_whole_role_the_story_ends_well(told: dict[str, Future[dict[str, Any]]], role: str) -> None:
    found = told[role].result()
    assert {**found, **WELL[role]} == found


@pytest.mark.parametrize(("role", "part"), [(role, part) for role in ROLES for part in CHOSEN[role]], ids=str)
def test_without_a_part_it_ends_otherwise(told: dict[str, Future[dict[str, Any]]], role: str, part: Part) -> None:
    whole, found = told[role].result(), told[str(part)].result()
    # Names of functions hold the stack's.
    assert plain(found) != plain(whole), found


def plain(found: dict[str, Any]) -> dict[str, Any]:
    return {key: list(value.values()) if key == "attached" else value for key, value in found.items()}


def test_every_statement_allows_something(lab: Lab) -> None:
    for number, story in enumerate(STORIES.values()):
        story(Stack(lab, f"s{number}"))
    wanted = {statement["Sid"] for role in ROLES for policy in POLICIES[role] for statement in statements(policy)}
    assert wanted <= statements_used(lab)
