"""CloudWatch: alarms that metrics, or somebody's hand, trip."""

from __future__ import annotations

from typing import Any

from client import Lab, refused

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
