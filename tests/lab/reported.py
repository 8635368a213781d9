"""An experiment whose document attaches nothing, and functions that do what faults would do, for what is reported of it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any

from client import Lab, archive, until
from documents import document, mark, script, sleep
from test_cloudwatch import ALARM
from test_fis import automation, start

HANDLER = """
import json, time

def handler(event, context):
    if event.get("hit"):
        record = {
            "timestamp": "2026-11-23T13:51:52.069Z", "level": "WARN", "source": "faultlayer", "experiment": "checkout",
            "fault": "slow", "kind": "latency", "action": "injected", "requestId": context.aws_request_id, "rate": 0.5,
            "delay_ms": 50, "injections": 1, "_aws": {
                "Timestamp": int(time.time() * 1000),
                "CloudWatchMetrics": [{
                    "Namespace": "Faultlayer", "Dimensions": [["experiment", "kind"], ["experiment", "fault"]],
                    "Metrics": [{"Name": "injections", "Unit": "Count"}],
                }],
            },
        }
        print(json.dumps(record, separators=(",", ":")))
        time.sleep(0.05)
    if event.get("fail"):
        raise KeyError("no")
    return 1
"""
REPORT = json.dumps({"restored": 2, "changed": {"two": ["field Timeout"]}})
SPAN = ("--period", "1", "--around", "5s")


def prepared(lab: Lab) -> Lab:
    """Two functions, and a document that attaches nothing, holds, and says what a roll-back says."""
    for name in ("one", "two"):
        lab.function(name, Code={"ZipFile": archive(app=HANDLER)})
    held = document(
        mark("Attach", "/attached", nextStep="Hold"),
        sleep("Hold", "{{ Hold }}", nextStep="Rollback"),
        script(f"return {{'Report': {REPORT!r}}}", name="Rollback", outputs={"Report": "String"}, isEnd=True),
        parameters={
            "Hold": {"type": "String"},
            "FunctionNames": {"type": "StringList", "default": []},
            **{name: {"type": "String", "default": ""} for name in ("TagKey", "TagValue")},
        },
        outputs=["Rollback.Report"],
    )
    lab.client("ssm").create_document(Name="experiment", Content=json.dumps(held), DocumentType="Automation")
    lab.settings(speed=1)
    # Its state is OK only once somebody has looked.
    lab.client("cloudwatch").put_metric_alarm(**ALARM)
    lab.client("cloudwatch").describe_alarms()
    # The first call of each starts its process: it is none of the figures.
    for name in ("one", "two"):
        lab.functions.invoke(FunctionName=name, Payload="{}")
    return lab


@contextmanager
def called(lab: Lab, event: Callable[[], dict[str, Any]]) -> Iterator[list[datetime]]:
    """Calls both functions all the while; when, of those that were hit."""
    client = lab.made("lambda", {"AccessKeyId": "lab", "SecretAccessKey": "lab"})
    ended, hit = threading.Event(), []

    def work() -> None:
        while not ended.wait(0.1):
            for name in ("one", "two"):
                given = event()
                hit.extend([datetime.now(timezone.utc)] * bool(given.get("hit")))
                client.invoke(FunctionName=name, Payload=json.dumps(given))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield hit
    finally:
        ended.set()
        thread.join()


def attached(lab: Lab) -> bool:
    return any(one["Name"] == "/attached" for one in lab.client("ssm").describe_parameters()["Parameters"])


def gone_through(lab: Lab) -> tuple[str, list[datetime]]:
    """An experiment, with calls before, during and after; its id, and when calls were hit."""
    state = {"faults": False}
    moment = iter(range(10**9))

    def event() -> dict[str, Any]:
        number = next(moment)
        return {"hit": number % 4 < 2, "fail": number % 8 < 2} if state["faults"] else {}

    with called(lab, event) as hit:
        time.sleep(6)
        experiment = start(lab, {"faults": automation(Hold="PT6S", FunctionNames=["one", "two"])}, stop=False)
        until(lambda: attached(lab), bool)
        state["faults"] = True
        until(lambda: lab.client("fis").get_experiment(id=experiment)["experiment"], lambda found: "endTime" in found)
        state["faults"] = False
        time.sleep(4)
    return experiment, hit
