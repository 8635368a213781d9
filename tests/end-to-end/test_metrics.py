"""What a plan's `metrics` counts, read back from CloudWatch, is what the records in the function's log say."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from client import Lab

from test_attach import documents, execute, layers, python

NAMESPACE = "Faultlayer/EndToEnd"
PLAN: dict[str, Any] = {
    "version": 1,
    "experiment": "counted",
    "metrics": {"namespace": NAMESPACE},
    "faults": [
        {"id": "slow", "kind": "latency", "rate": 0.5, "delay_ms": {"uniform": {"min": 1, "max": 9}}},
        {"id": "boom", "kind": "error", "rate": 0.3, "type": "ConnectionError"},
    ],
}


def injected(lab: Lab, name: str, calls: int) -> list[dict[str, Any]]:
    """Invokes the function, and reads the records of what was injected from its log."""
    for number in range(calls):
        lab.functions.invoke(FunctionName=name, Payload=json.dumps({"n": number}))
    pages = lab.client("logs").get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{name}")
    lines = [event["message"] for page in pages for event in page["events"]]
    records = [json.loads(line) for line in lines if '"source":"faultlayer"' in line]
    return [record for record in records if record.get("action") == "injected"]


def test_metrics_read_back_are_what_the_records_say(lab: Lab, tmp_path: Path) -> None:
    documents(lab)
    lab.function("counted", **python(tmp_path))
    ours = {key: [arn] for key, arn in layers(lab).items()}
    execute(lab, "Faultlayer-Attach", FunctionNames=["counted"], Plan=[json.dumps(PLAN)], **ours)
    records = injected(lab, "counted", 60)
    expected = Counter(record["fault"] for record in records)
    assert set(expected) == {"slow", "boom"}
    delays = [record["delay_ms"] for record in records if record["fault"] == "slow"]
    now = datetime.now(timezone.utc)

    def value(name: str, statistic: str, dimension: str, of: str) -> float:
        dimensions = [{"Name": "experiment", "Value": "counted"}, {"Name": dimension, "Value": of}]
        metric = {"Namespace": NAMESPACE, "MetricName": name, "Dimensions": dimensions}
        query = {"Id": "one", "MetricStat": {"Metric": metric, "Period": 3600, "Stat": statistic}}
        span = {"StartTime": now - timedelta(hours=2), "EndTime": now + timedelta(hours=1)}
        [result] = lab.client("cloudwatch").get_metric_data(MetricDataQueries=[query], **span)["MetricDataResults"]
        # An hour can end in the midst of it.
        values: list[float] = result["Values"]
        return sum(values) if statistic == "Sum" else max(values)

    assert {fault: value("injections", "Sum", "fault", fault) for fault in expected} == expected
    assert value("injections", "Sum", "kind", "latency") == expected["slow"]
    assert round(value("delay_ms", "Sum", "fault", "slow"), 6) == round(sum(delays), 6)
    assert value("delay_ms", "Maximum", "kind", "latency") == max(delays)
