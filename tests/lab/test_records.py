"""What FIS logs of its experiments, in a log group and in a bucket."""

from __future__ import annotations

import json
from typing import Any

import pytest

from client import Lab, until
from test_fis import ROLE, alarm_is, automation, ended, running, wait
from test_fis import experiments as experiments

GROUP = "/faultlayer/chaos/experiments"
ARN = f"arn:aws:logs:eu-central-1:123456789012:log-group:{GROUP}:*"
LOGS = {"logSchemaVersion": 2, "cloudWatchLogsConfiguration": {"logGroupArn": ARN}}


def start(lab: Lab, actions: dict[str, Any], logs: dict[str, Any] = LOGS, **more: Any) -> str:
    made = lab.client("fis").create_experiment_template(
        description="a test", stopConditions=[{"source": "none"}], roleArn=ROLE, actions=actions, logConfiguration=logs,
    )  # fmt: skip
    template = made["experimentTemplate"]["id"]
    found: str = lab.client("fis").start_experiment(experimentTemplateId=template, **more)["experiment"]["id"]
    return found


def records(lab: Lab, experiment: str) -> list[dict[str, Any]]:
    """The records of an experiment once the last one is there."""

    def read() -> list[dict[str, Any]]:
        found = lab.client("logs").filter_log_events(logGroupName=GROUP, logStreamNamePrefix=f"/aws/fis/{experiment}")
        return [json.loads(event["message"]) for event in found["events"]]

    return until(read, lambda rows: bool(rows) and rows[-1]["log_type"] == "experiment-end")  # type: ignore[no-any-return]


@pytest.fixture
def logged(experiments: Lab) -> Lab:
    experiments.client("logs").create_log_group(logGroupName=GROUP)
    return experiments


def test_an_experiments_records_are_in_its_group(logged: Lab) -> None:
    experiment = start(logged, {"check": alarm_is("OK"), "faults": automation(Hold="PT1S") | {"startAfter": ["check"]}})
    rows = records(logged, experiment)
    kinds = [(row["log_type"], row["details"].get("action_name")) for row in rows]
    assert kinds == [
        ("experiment-start", None), ("action-start", "check"), ("action-end", "check"), ("action-start", "faults"),
        ("action-end", "faults"), ("experiment-end", None),
    ]  # fmt: skip
    assert {(row["id"], row["version"]) for row in rows} == {(experiment, "2")}
    begun = rows[3]["details"]
    assert begun["action_id"] == "aws:ssm:start-automation-execution"
    assert json.loads(begun["parameters"]["documentParameters"]) == {"Hold": "PT1S"}
    assert rows[4]["details"]["action_state"] == {"status": "completed", "reason": "Action was completed."}
    assert rows[5]["details"]["experiment_state"]["status"] == "completed"
    assert rows[0]["event_timestamp"] <= rows[5]["event_timestamp"]
    calls = [row for row in logged.ask("GET", "/calls")["calls"] if row["service"] == "logs"]
    own = {row["action"] for row in calls if row["role"] == ROLE}
    assert own == {"logs:DescribeLogGroups", "logs:CreateLogDelivery", "logs:DescribeResourcePolicies", "logs:PutResourcePolicy"}
    assert {row["caller"] for row in calls if row["operation"] == "PutLogEvents"} == {"delivery.logs.amazonaws.com"}
    again = start(logged, {"w": wait()})
    records(logged, again)
    policies = logged.client("logs").describe_resource_policies()["resourcePolicies"]
    assert len(json.loads(policies[0]["policyDocument"])["Statement"]) == 1, "the group is allowed once"


def test_an_action_that_fails_and_an_experiment_that_is_stopped_say_so(logged: Lab) -> None:
    rows = records(logged, start(logged, {"bad": alarm_is("ALARM")}))
    error = next(row for row in rows if row["log_type"] == "action-error")["details"]
    assert (error["action_name"], error["account_id"], error["action_state"]["status"]) == ("bad", "123456789012", "failed")
    assert rows[-1]["details"]["experiment_state"]["status"] == "failed"
    experiment = start(logged, {"faults": automation()})
    running(logged)
    logged.client("fis").stop_experiment(id=experiment)
    assert records(logged, experiment)[-1]["details"]["experiment_state"]["status"] == "stopped"


def test_an_experiment_whose_records_cannot_be_delivered_does_not_begin(experiments: Lab) -> None:
    done = ended(experiments, start(experiments, {"faults": automation()}))
    assert done["state"]["status"] == "failed"
    assert f"the log group {GROUP} does not exist" in done["state"]["reason"]
    assert done["actions"]["faults"]["state"]["status"] == "cancelled"
    experiments.client("logs").create_log_group(logGroupName=GROUP)
    error = {"code": "AccessDeniedException", "status": 400, "message": "no"}
    experiments.hook("fail", service="logs", operation="CreateLogDelivery", caller="any", error=error)
    assert ended(experiments, start(experiments, {"faults": automation()}))["state"]["status"] == "failed"


def test_an_experiment_begins_though_its_calls_are_throttled(logged: Lab) -> None:
    # Four calls before it begins, of an account that has three a second, looked at much oftener.
    logged.settings(rates=0.3)
    experiment = start(logged, {"check": alarm_is("OK")})

    def delivered() -> list[int]:
        rows = logged.ask("GET", "/calls")["calls"]
        return [row["status"] for row in rows if row["operation"] == "PutResourcePolicy"]

    until(delivered, lambda statuses: 200 in statuses, limit=30)
    logged.settings(rates=0)
    assert ended(logged, experiment)["state"]["status"] == "completed"


def test_records_are_in_a_bucket_once_the_experiment_has_ended(experiments: Lab) -> None:
    s3 = experiments.client("s3")
    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    logs = {"logSchemaVersion": 2, "s3Configuration": {"bucketName": "bucket", "prefix": "chaos"}}
    experiment = start(experiments, {"check": alarm_is("OK")}, logs)
    ended(experiments, experiment)
    [found] = until(lambda: s3.list_objects_v2(Bucket="bucket").get("Contents", []), bool)
    assert found["Key"].startswith("chaos/AWSLogs/123456789012/fis/eu-central-1/")
    text = s3.get_object(Bucket="bucket", Key=found["Key"])["Body"].read().decode()
    kinds = [json.loads(line)["log_type"] for line in text.splitlines()]
    assert kinds == ["experiment-start", "action-start", "action-end", "experiment-end"]


def test_a_killed_lab_writes_what_is_missing(labs: list[Lab], tmp_path: Any) -> None:
    lab = Lab(tmp_path)
    labs.append(lab)
    lab.settings(rates=0, poll_ms=20)
    lab.client("logs").create_log_group(logGroupName=GROUP)
    experiment = start(lab, {"w": wait()})
    until(
        lambda: lab.client("fis").get_experiment(id=experiment)["experiment"]["state"]["status"], lambda state: state == "running"
    )
    lab.kill()
    again = Lab(tmp_path, "--speed", "1000")
    labs.append(again)
    kinds = [row["log_type"] for row in records(again, experiment)]
    assert sorted(set(kinds)) == ["action-end", "action-start", "experiment-end", "experiment-start"]
