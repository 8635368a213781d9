"""FIS: experiments that run documents, and everything that ends one."""

from __future__ import annotations

import hashlib
import json
import subprocess
import time
from typing import Any

import pytest

from client import Lab, command, refused, statuses, until
from documents import document, mark, sleep
from test_cloudwatch import ALARM

ROLE = "arn:aws:iam::123456789012:role/fis"
ARN = "arn:aws:ssm:eu-central-1:123456789012:document/experiment"
STOP = "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:stop"


def automation(maximum: str = "PT1H", **parameters: Any) -> dict[str, Any]:
    given = {"documentArn": ARN, "documentParameters": json.dumps(parameters, separators=(",", ":")), "maxDuration": maximum}
    return {"actionId": "aws:ssm:start-automation-execution", "parameters": given}


def alarm_is(state: str, **more: Any) -> dict[str, Any]:
    return {"actionId": "aws:cloudwatch:assert-alarm-state", "parameters": {"alarmArns": STOP, "alarmStates": state}, **more}


def wait(**more: Any) -> dict[str, Any]:
    return {"actionId": "aws:fis:wait", "parameters": {"duration": "PT1M"}, **more}


def template(lab: Lab, actions: dict[str, Any], stop: bool = True) -> str:
    conditions = [{"source": "aws:cloudwatch:alarm", "value": STOP}] if stop else [{"source": "none"}]
    made = lab.client("fis").create_experiment_template(
        clientToken=hashlib.sha256(json.dumps([actions, stop]).encode()).hexdigest(), description="a test", stopConditions=conditions, roleArn=ROLE, actions=actions,
        tags={"Name": "test"},
    )  # fmt: skip
    found: str = made["experimentTemplate"]["id"]
    return found


def start(lab: Lab, actions: dict[str, Any], stop: bool = True, **more: Any) -> str:
    identity: str = lab.client("fis").start_experiment(experimentTemplateId=template(lab, actions, stop), **more)["experiment"][
        "id"
    ]
    return identity


def ended(lab: Lab, experiment: str) -> Any:
    """An experiment once it has ended."""
    return until(lambda: lab.client("fis").get_experiment(id=experiment)["experiment"], lambda found: "endTime" in found)


def running(lab: Lab) -> str:
    """Waits for the only execution to hold; its id."""

    def holding() -> list[str]:
        executions = lab.ssm.describe_automation_executions()["AutomationExecutionMetadataList"]
        ids = [execution["AutomationExecutionId"] for execution in executions]
        return [identity for identity in ids if statuses(lab.execution(identity)).get("hold") == "InProgress"]

    return str(until(holding, bool)[0])


def parameters(lab: Lab) -> set[str]:
    return {one["Name"] for one in lab.client("ssm").describe_parameters()["Parameters"]}


@pytest.fixture
def experiments(lab: Lab) -> Lab:
    """A document that leaves a trace, holds for an hour, and restores whatever ends it; an alarm that is OK."""
    held = document(
        mark("attach", "/attached", nextStep="hold"),
        sleep("hold", "{{ Hold }}", nextStep="restore", onCancel="step:restore", onFailure="step:restore"),
        mark("restore", "/restored", isEnd=True),
        parameters={"Hold": {"type": "String", "default": "PT1H"}, "Names": {"type": "StringList", "default": []}},
    )
    lab.client("ssm").create_document(Name="experiment", Content=json.dumps(held), DocumentType="Automation")
    lab.client("cloudwatch").put_metric_alarm(**ALARM)
    return lab


def test_an_experiment_runs_its_document_with_its_parameters_and_completes(experiments: Lab) -> None:
    done = ended(experiments, start(experiments, {"faults": automation(Hold="PT1S", Names=["a", "b"])}))
    assert done["state"] == {"status": "completed", "reason": "Experiment completed."}
    assert done["actions"]["faults"]["state"]["status"] == "completed"
    assert parameters(experiments) == {"/attached", "/restored"}
    [execution] = experiments.client("ssm").describe_automation_executions()["AutomationExecutionMetadataList"]
    found = experiments.client("ssm").get_automation_execution(AutomationExecutionId=execution["AutomationExecutionId"])
    assert found["AutomationExecution"]["Parameters"]["Names"] == ["a", "b"]
    calls = {row["action"] for row in experiments.ask("GET", "/calls")["calls"] if row["role"] == ROLE}
    assert {"ssm:StartAutomationExecution", "ssm:GetAutomationExecution", "cloudwatch:DescribeAlarms"} <= calls


def test_actions_start_after_each_other_and_what_follows_a_failed_one_is_cancelled(experiments: Lab) -> None:
    actions = {"a": alarm_is("OK"), "b": automation(Hold="PT1S"), "c": alarm_is("ALARM"), "d": wait(startAfter=["c"])}
    actions["b"]["startAfter"] = ["a"]
    actions["c"]["startAfter"] = ["b"]
    done = ended(experiments, start(experiments, actions))
    states = {name: action["state"]["status"] for name, action in done["actions"].items()}
    assert states == {"a": "completed", "b": "completed", "c": "failed", "d": "cancelled"}
    assert done["state"]["status"] == "failed"
    assert "Alarms are OK, not ALARM" in done["state"]["reason"]
    assert done["actions"]["b"]["startTime"] >= done["actions"]["a"]["endTime"]


def test_a_document_that_fails_fails_the_experiment(experiments: Lab) -> None:
    done = ended(experiments, start(experiments, {"faults": automation(Nonsense="x")}))
    assert done["state"]["status"] == "failed"
    assert "Nonsense" in done["actions"]["faults"]["state"]["reason"]


@pytest.mark.parametrize("how", ["request", "alarm", "metric", "lever"])
def test_what_stops_an_experiment_cancels_its_document_which_restores(experiments: Lab, how: str) -> None:
    experiment = start(experiments, {"faults": automation()})
    execution = running(experiments)
    if how == "request":
        assert experiments.client("fis").stop_experiment(id=experiment)["experiment"]["state"]["status"] == "stopping"
    elif how == "alarm":
        experiments.client("cloudwatch").set_alarm_state(AlarmName="stop", StateValue="ALARM", StateReason="test")
    elif how == "metric":
        experiments.client("cloudwatch").put_metric_data(
            Namespace="Faultlayer/test", MetricData=[{"MetricName": "Stop", "Value": 1}]
        )
    else:
        experiments.client("fis").update_safety_lever_state(id="default", state={"status": "engaged", "reason": "test"})
    done = ended(experiments, experiment)
    assert done["state"]["status"] == "stopped"
    assert done["actions"]["faults"]["state"]["status"] == "stopped"
    assert experiments.ended(execution)["AutomationExecutionStatus"] == "Cancelled"
    assert parameters(experiments) == {"/attached", "/restored"}


def test_a_document_that_takes_longer_than_max_duration_is_cancelled_and_the_experiment_fails(experiments: Lab) -> None:
    experiment = start(experiments, {"faults": automation("PT1M", Hold="PT12H")})
    running(experiments)
    # A minute passes in a moment, the hold of twelve hours does not.
    experiments.settings(speed=60)
    done = ended(experiments, experiment)
    assert (done["state"]["status"], done["actions"]["faults"]["state"]["status"]) == ("failed", "failed")
    assert "maxDuration" in done["state"]["reason"]
    assert parameters(experiments) == {"/attached", "/restored"}


def test_the_engaged_lever_lets_nothing_start(experiments: Lab) -> None:
    lever = {"id": "default", "state": {"status": "engaged", "reason": "test"}}
    experiments.client("fis").update_safety_lever_state(**lever)
    done = ended(experiments, start(experiments, {"faults": automation()}))
    assert done["state"]["status"] == "cancelled"
    assert parameters(experiments) == set()
    assert experiments.client("fis").get_safety_lever(id="default")["safetyLever"]["state"]["status"] == "engaged"


def test_five_experiments_are_active_at_a_time(experiments: Lab) -> None:
    # None of them ends by itself meanwhile.
    experiments.settings(speed=1)
    started = [start(experiments, {"w": wait()}) for _ in range(5)]
    assert len(set(started)) == 5
    assert refused(lambda: start(experiments, {"w": wait()}))[0] == "ServiceQuotaExceededException"
    for experiment in started:
        experiments.client("fis").stop_experiment(id=experiment)
        assert ended(experiments, experiment)["state"]["status"] == "stopped"
    start(experiments, {"w": wait()})


def test_a_preview_runs_no_action(experiments: Lab) -> None:
    done = ended(experiments, start(experiments, {"faults": automation()}, experimentOptions={"actionsMode": "skip-all"}))
    assert done["actions"]["faults"]["state"]["status"] == "skipped"
    assert parameters(experiments) == set()


def test_a_killed_lab_goes_on_with_its_experiments(labs: list[Lab], tmp_path: Any) -> None:
    lab = Lab(tmp_path)
    labs.append(lab)
    lab.settings(rates=0)
    held = document(sleep("hold", "PT6S", nextStep="restore"), mark("restore", "/restored", isEnd=True))
    lab.client("ssm").create_document(Name="experiment", Content=json.dumps(held), DocumentType="Automation")
    experiment = start(lab, {"faults": automation()}, stop=False)
    running(lab)
    lab.process.kill()
    lab.process.wait()
    again = Lab(tmp_path)
    labs.append(again)
    assert ended(again, experiment)["state"]["status"] == "completed"
    [_only_one] = again.client("ssm").describe_automation_executions()["AutomationExecutionMetadataList"]


def test_looking_at_executions_leaves_the_account_its_rate(experiments: Lab) -> None:
    experiments.settings(rates=1)
    fis = experiments.client("fis")
    begun = time.monotonic()
    both = [start(experiments, {name: automation(Hold="PT6S")}, stop=False) for name in ("one", "two")]

    def states() -> list[str]:
        time.sleep(0.5)
        return [fis.get_experiment(id=experiment)["experiment"]["state"]["status"] for experiment in both]

    until(states, lambda now: now == ["completed", "completed"])
    calls = [row for row in experiments.ask("GET", "/calls")["calls"] if row["action"] == "ssm:GetAutomationExecution"]
    assert len(calls) <= time.monotonic() - begun + 2, "once a second in all, of three that the account has"
    assert {row["status"] for row in calls} == {200}


def test_templates_are_kept_listed_tagged_and_deleted(experiments: Lab) -> None:
    fis = experiments.client("fis")
    made = template(experiments, {"w": wait()})
    assert [one["id"] for one in fis.list_experiment_templates()["experimentTemplates"]] == [made]
    arn = fis.get_experiment_template(id=made)["experimentTemplate"]["arn"]
    fis.tag_resource(resourceArn=arn, tags={"team": "a"})
    fis.untag_resource(resourceArn=arn, tagKeys=["Name"])
    assert fis.list_tags_for_resource(resourceArn=arn)["tags"] == {"team": "a"}
    fis.delete_experiment_template(id=made)
    assert refused(lambda: fis.get_experiment_template(id=made))[0] == "ResourceNotFoundException"


def environment(lab: Lab) -> dict[str, str]:
    """Of a command that speaks to the lab."""
    return {
        "AWS_ENDPOINT_URL": lab.url,
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "lab",
        "AWS_SECRET_ACCESS_KEY": "lab",
    }


def run(lab: Lab, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [command(), "experiment", *arguments], env=environment(lab), capture_output=True, text=True, check=False, timeout=120
    )


def test_the_command_creates_starts_watches_and_lists(experiments: Lab) -> None:
    held = document(
        sleep("Hold", "PT1S", isEnd=True),
        parameters={
            "FunctionNames": {"type": "StringList"}, "Plan": {"type": "String"}, "DurationMinutes": {"type": "Integer"},
        },
    )  # fmt: skip
    experiments.client("ssm").create_document(Name="chaos-Experiment", Content=json.dumps(held), DocumentType="Automation")
    plan = '{"version": 1, "faults": [{"id": "slow", "kind": "latency", "rate": 1, "delay_ms": 5}]}'
    bad = run(experiments, "create", "hello", "--plan", plan.replace("slow", ""), "--stack", "chaos", "--role", ROLE)
    assert bad.returncode == 2
    assert "faults[0].id" in bad.stderr
    lacking = run(experiments, "create", "hello", "--plan", plan, "--stack", "chaos")
    assert "role: the stack `chaos` has no template to take it from" in lacking.stderr
    made = run(experiments, "create", "hello", "--plan", plan, "--stack", "chaos", "--role", ROLE, "--stop-alarm", STOP)
    assert made.returncode == 0, made.stderr
    # A second one takes role and alarm from the first.
    again = run(experiments, "template", "hello", "--plan", plan, "--stack", "chaos", "--minutes", "20")
    assert json.loads(again.stdout)["roleArn"] == ROLE
    assert json.loads(again.stdout)["stopConditions"] == [{"source": "aws:cloudwatch:alarm", "value": STOP}]
    live = run(experiments, "template", "hello", "--plan-source", "parameter:/faults/hello", "--stack", "chaos")
    given = json.loads(json.loads(live.stdout)["actions"]["faults"]["parameters"]["documentParameters"])
    assert (given["PlanSource"], given.get("Plan")) == ("parameter:/faults/hello", None)
    done = run(experiments, "start", made.stdout.strip(), "--stack", "chaos", "--json")
    assert done.returncode == 0, done.stderr
    view = json.loads(done.stdout)
    assert (view["state"], view["automation"]["status"]) == ("completed", "Success")
    assert "completed" in run(experiments, "list").stdout
    assert made.stdout.strip() in run(experiments, "list", "--templates").stdout


def test_the_command_stops_an_experiment_and_says_so_in_its_status(experiments: Lab) -> None:
    experiment = start(experiments, {"faults": automation()})
    running(experiments)
    done = run(experiments, "stop", experiment)
    assert done.returncode == 1
    assert f"experiment {experiment}: stopped" in done.stdout
    missing = run(experiments, "watch", "EXP00000000000000000")
    assert (missing.returncode, "does not exist" in missing.stderr) == (2, True)
