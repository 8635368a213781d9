"""CloudWatch: alarms that metrics, or somebody's hand, trip."""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta, timezone
from typing import Any

from client import Lab, archive, refused

ALARM: dict[str, Any] = {
    "AlarmName": "stop", "Namespace": "Faultlayer/test", "MetricName": "Stop", "Statistic": "Maximum", "Period": 60,
    "EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanOrEqualToThreshold", "TreatMissingData": "notBreaching",
}  # fmt: skip


def state(lab: Lab, name: str = "stop") -> str:
    [alarm] = lab.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    found: str = alarm["StateValue"]
    return found


def test_a_value_of_its_metric_trips_an_alarm_and_another_metrics_does_not(lab: Lab) -> None:
    cloudwatch = lab.client("cloudwatch")
    cloudwatch.put_metric_alarm(**ALARM)
    assert state(lab) == "OK"
    for namespace, name, value in (
        ("Faultlayer/other", "Stop", 1),
        ("Faultlayer/test", "Go", 1),
        ("Faultlayer/test", "Stop", 0.5),
    ):
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=[{"MetricName": name, "Value": value}])
        assert state(lab) == "OK"
    cloudwatch.put_metric_data(Namespace="Faultlayer/test", MetricData=[{"MetricName": "Stop", "Value": 1}])
    [alarm] = cloudwatch.describe_alarms(StateValue="ALARM")["MetricAlarms"]
    assert alarm["AlarmArn"] == "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:stop"
    assert (alarm["StateReason"], alarm["Threshold"], alarm["Period"]) == ("Threshold Crossed", 1.0, 60)


def test_missing_values_are_treated_as_the_alarm_says(lab: Lab) -> None:
    for treatment, expected in (("missing", "INSUFFICIENT_DATA"), ("breaching", "ALARM"), ("notBreaching", "OK")):
        lab.client("cloudwatch").put_metric_alarm(**{**ALARM, "AlarmName": treatment, "TreatMissingData": treatment})
        assert state(lab, treatment) == expected


def test_a_state_that_was_set_stands_until_the_metric_speaks(lab: Lab) -> None:
    cloudwatch = lab.client("cloudwatch")
    cloudwatch.put_metric_alarm(**ALARM)
    cloudwatch.set_alarm_state(AlarmName="stop", StateValue="ALARM", StateReason="by hand")
    assert [state(lab), state(lab)] == ["ALARM", "ALARM"]
    cloudwatch.put_metric_data(Namespace="Faultlayer/test", MetricData=[{"MetricName": "Stop", "Value": 0}])
    assert state(lab) == "OK"


def test_what_is_not_there_or_not_served_is_said(lab: Lab) -> None:
    cloudwatch = lab.client("cloudwatch")
    assert refused(lambda: cloudwatch.set_alarm_state(AlarmName="x", StateValue="OK", StateReason=""))[0] == "ResourceNotFound"
    assert refused(lambda: cloudwatch.put_metric_alarm(**{**ALARM, "Period": 7}))[0] == "ValidationError"
    assert (
        refused(lambda: cloudwatch.put_metric_data(Namespace="Faultlayer", MetricData=[{"MetricName": "x"}]))[0]
        == "MissingParameter"
    )
    cloudwatch.put_metric_alarm(**ALARM)
    cloudwatch.delete_alarms(AlarmNames=["stop"])
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []


NAMESPACE = "Faultlayer/read"
# The beginning of a minute, some minutes ago.
MINUTE = datetime.fromtimestamp(int(time.time()) // 60 * 60 - 300, tz=timezone.utc)


def query(name: str, statistic: str, period: int = 60, **dimensions: str) -> dict[str, Any]:
    pairs = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    metric = {"Namespace": NAMESPACE, "MetricName": name, "Dimensions": pairs}
    identity = f"{name}_{statistic}".lower()
    return {"Id": identity, "MetricStat": {"Metric": metric, "Period": period, "Stat": statistic}}


def get(lab: Lab, *queries: dict[str, Any], **more: Any) -> Any:
    span = {"StartTime": MINUTE, "EndTime": MINUTE + timedelta(minutes=10), "ScanBy": "TimestampAscending"}
    return lab.client("cloudwatch").get_metric_data(MetricDataQueries=list(queries), **{**span, **more})


def test_values_are_read_by_period_and_statistic(lab: Lab) -> None:
    for second, value in ((0, 1), (30, 2), (59, 6), (60, 10), (125, 20)):
        at = MINUTE + timedelta(seconds=second)
        data = [{"MetricName": "wait", "Value": value, "Timestamp": at, "Dimensions": [{"Name": "kind", "Value": "a"}]}]
        lab.client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)
    expected = {
        "Sum": [9, 10, 20], "Average": [3, 10, 20], "SampleCount": [3, 1, 1], "Minimum": [1, 10, 20], "Maximum": [6, 10, 20],
        "p50": [2, 10, 20], "p99": [6, 10, 20],
    }  # fmt: skip
    answer = get(lab, *(query("wait", statistic, kind="a") for statistic in expected))
    for result, values in zip(answer["MetricDataResults"], expected.values(), strict=True):
        assert (result["Values"], result["StatusCode"], result["Label"]) == (values, "Complete", "wait")
        assert result["Timestamps"] == [MINUTE + timedelta(minutes=minute) for minute in range(3)]
    [whole] = get(lab, query("wait", "Sum", 300, kind="a"), ScanBy="TimestampDescending")["MetricDataResults"]
    assert sum(whole["Values"]) == 39
    [other] = get(lab, query("wait", "Sum", kind="b"))["MetricDataResults"]
    assert other["Values"] == []


def test_values_come_in_pages(lab: Lab) -> None:
    data = [{"MetricName": "many", "Value": minute, "Timestamp": MINUTE + timedelta(minutes=minute)} for minute in range(7)]
    lab.client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)
    pages = lab.client("cloudwatch").get_paginator("get_metric_data")
    span = {"StartTime": MINUTE, "EndTime": MINUTE + timedelta(minutes=10)}
    found = list(pages.paginate(MetricDataQueries=[query("many", "Sum")], **span, PaginationConfig={"PageSize": 3}))
    values = [value for page in found for value in page["MetricDataResults"][0]["Values"]]
    assert (len(found), values) == (3, [6, 5, 4, 3, 2, 1, 0])
    assert [page["MetricDataResults"][0]["StatusCode"] for page in found] == ["PartialData", "PartialData", "Complete"]


def test_what_cannot_be_read_is_said(lab: Lab) -> None:
    expression = {"Id": "e", "Expression": "m1 / m2"}
    for queries, more, words in (
        ([query("x", "Sum")], {"EndTime": MINUTE}, "StartTime must be less"),
        ([query("x", "Sum"), query("x", "Sum")], {}, "duplicated"),
        ([expression], {}, "the lab serves no expressions"),
        ([query("x", "IQM")], {}, "the lab does not serve the statistic `IQM`"),
        ([query("x", "p101")], {}, "the lab does not serve the statistic `p101`"),
        ([query("x", "Sum", 7)], {}, "Period must be"),
    ):
        code, _, message = refused(lambda queries=queries, more=more: get(lab, *queries, **more))  # type: ignore[misc]
        assert (code, words in message) == ("InvalidParameterValue", True), message


def test_documents_of_the_embedded_metric_format_in_a_log_become_metrics(lab: Lab) -> None:
    logs = lab.client("logs")
    logs.create_log_group(logGroupName="/a/group")
    logs.create_log_stream(logGroupName="/a/group", logStreamName="one")
    at = int(MINUTE.timestamp() * 1000)
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [["experiment", "kind"], ["experiment", "fault"]],
        "Metrics": [{"Name": "injections", "Unit": "Count"}, {"Name": "delay_ms", "Unit": "Milliseconds"}],
    }
    records = [
        {
            "experiment": "e", "fault": fault, "kind": "latency", "delay_ms": delay, "injections": 1,
            "_aws": {"Timestamp": at, "CloudWatchMetrics": [directive]},
        }
        for fault, delay in (("slow", 10), ("slow", 30), ("slower", 50))
    ]  # fmt: skip
    lines = [*map(json.dumps, records), '{"no": "metric"}', '{"_aws": "nor this"}', '"_aws" {']
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": line + "\n"} for line in lines]
    logs.put_log_events(logGroupName="/a/group", logStreamName="one", logEvents=events)
    answer = get(
        lab,
        {**query("injections", "Sum", experiment="e", kind="latency"), "Id": "kind"},
        {**query("injections", "Sum", experiment="e", fault="slow"), "Id": "slow"},
        {**query("delay_ms", "Maximum", experiment="e", fault="slow"), "Id": "most"},
        {**query("injections", "Sum", fault="slow"), "Id": "none"},
    )
    assert {result["Id"]: result["Values"] for result in answer["MetricDataResults"]} == {
        "kind": [3],
        "slow": [2],
        "most": [30],
        "none": [],
    }


FUNCTION = """
import time

def handler(event, context):
    time.sleep(event.get("wait", 0))
    if event.get("fail"):
        raise KeyError("no")
    return 1
"""


def metric(lab: Lab, name: str, statistic: str, function: str = "one") -> float:
    now = datetime.now(timezone.utc)
    dimensions = [{"Name": "FunctionName", "Value": function}]
    asked = {
        "Metric": {"Namespace": "AWS/Lambda", "MetricName": name, "Dimensions": dimensions},
        "Period": 3600,
        "Stat": statistic,
    }
    span = {"StartTime": now - timedelta(hours=2), "EndTime": now + timedelta(minutes=1)}
    answer = lab.client("cloudwatch").get_metric_data(MetricDataQueries=[{"Id": "q", "MetricStat": asked}], **span)
    return float(sum(answer["MetricDataResults"][0]["Values"]))


def test_lambda_counts_invocations_errors_throttles_and_durations(lab: Lab) -> None:
    lab.function("one", Code={"ZipFile": archive(app=FUNCTION)})
    for event in ({}, {"fail": True}, {"wait": 0.05}):
        lab.functions.invoke(FunctionName="one", Payload=json.dumps(event))
    lab.functions.put_function_concurrency(FunctionName="one", ReservedConcurrentExecutions=0)
    assert refused(lambda: lab.functions.invoke(FunctionName="one"))[0] == "TooManyRequestsException"
    counted = {name: metric(lab, name, "Sum") for name in ("Invocations", "Errors", "Throttles")}
    assert counted == {"Invocations": 3, "Errors": 1, "Throttles": 1}
    assert metric(lab, "Duration", "SampleCount") == 3
    assert metric(lab, "Duration", "Maximum") >= 50
    assert metric(lab, "Duration", "p50") <= metric(lab, "Duration", "p99")
    data = [{"MetricName": "Errors", "Value": 1}]
    put = lab.client("cloudwatch").put_metric_data
    assert refused(lambda: put(Namespace="AWS/Lambda", MetricData=data))[0] == "InvalidParameterValue"


def test_an_alarm_tells_how_its_state_changed_and_one_may_watch_what_lambda_counts(lab: Lab) -> None:
    cloudwatch = lab.client("cloudwatch")
    own = {"Namespace": "AWS/Lambda", "MetricName": "Errors", "Dimensions": [{"Name": "FunctionName", "Value": "one"}]}
    cloudwatch.put_metric_alarm(**{**ALARM, **own, "Statistic": "Sum"})
    cloudwatch.describe_alarms()
    lab.function("one", Code={"ZipFile": archive(app=FUNCTION)})
    lab.functions.invoke(FunctionName="one", Payload='{"fail": true}')
    cloudwatch.set_alarm_state(AlarmName="stop", StateValue="INSUFFICIENT_DATA", StateReason="by hand")
    items = cloudwatch.describe_alarm_history(AlarmName="stop", HistoryItemType="StateUpdate", ScanBy="TimestampAscending")
    told = [json.loads(item["HistoryData"]) for item in items["AlarmHistoryItems"]]
    changes = [(one["oldState"]["stateValue"], one["newState"]["stateValue"]) for one in told]
    assert changes == [("INSUFFICIENT_DATA", "OK"), ("OK", "ALARM"), ("ALARM", "INSUFFICIENT_DATA")]
    assert told[-1]["newState"]["stateReason"] == "by hand"
    pages = cloudwatch.get_paginator("describe_alarm_history").paginate(AlarmName="stop", PaginationConfig={"PageSize": 2})
    assert [len(page["AlarmHistoryItems"]) for page in pages] == [2, 1]
    assert cloudwatch.describe_alarm_history(AlarmName="other")["AlarmHistoryItems"] == []
    assert cloudwatch.describe_alarm_history(HistoryItemType="Action")["AlarmHistoryItems"] == []
