"""A plan's `traces`: each injection is a subsegment of its invocation's trace in AWS X-Ray."""

from __future__ import annotations

import json
import platform
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import xray
from function import COMMAND, ROOT, Function, outcomes
from xray import Receiver

MACHINE = "arm64" if platform.machine() == "aarch64" else "x86_64"
SAMPLES = {
    "python": ("examples/python", "app.handler"),
    "node": ("examples/node", "index.handler"),
    "java": ("examples/java/target/classes", "example.Handler"),
}
FAULTS: list[dict[str, Any]] = [
    {"id": "slow", "kind": "latency", "rate": 1, "delay_ms": {"uniform": {"min": 1, "max": 3}}},
    {"id": "boom", "kind": "error", "rate": 0.5, "type": "Error", "message": "no"},
    {"id": "busy", "kind": "response", "rate": 0.5, "status": 503},
    {"id": "late", "kind": "latency", "rate": 0.5, "when": "after", "delay_ms": 1},
]


@pytest.fixture(params=["a socket", "AWS's daemon"])
def receiver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Receiver]:
    if request.param == "a socket":
        with xray.datagrams() as datagrams:
            yield datagrams
    elif xray.DAEMON is None:
        pytest.skip("missing: AWS's X-Ray daemon (xray on the path, or its own in FAULTLAYER_XRAY_DAEMON)")
    else:
        with xray.aws(xray.DAEMON, tmp_path) as handed:
            yield handed


def told(address: str) -> list[str]:
    return ["--env", f"AWS_XRAY_DAEMON_ADDRESS={address}"]


def injected(report: dict[str, Any]) -> list[dict[str, Any]]:
    records = [record for invocation in report["invocations"] for record in invocation["records"]]
    return [record for record in records if record["action"] == "injected"]


def check(segments: list[dict[str, Any]], records: list[dict[str, Any]]) -> None:
    """One subsegment for each record, with its annotations and times, in the form that X-Ray asks for."""
    assert len(segments) == len(records)
    assert len({segment["id"] for segment in segments}) == len(segments)
    names = ("experiment", "fault", "kind")
    for segment in segments:
        assert set(segment) == {
            *("name", "type", "id", "trace_id", "parent_id", "start_time", "end_time", "annotations"),
        }
        assert segment["type"] == "subsegment"
        assert segment["name"] == f"faultlayer:{segment['annotations']['kind']}"
        assert re.fullmatch("[0-9a-f]{16}", segment["id"])
        assert re.fullmatch("[0-9a-f]{16}", segment["parent_id"])
        assert re.fullmatch("1-[0-9a-f]{8}-[0-9a-f]{24}", segment["trace_id"])
    # One trace an invocation.
    of_trace = Counter(segment["trace_id"] for segment in segments)
    assert sorted(of_trace.values()) == sorted(Counter(record["requestId"] for record in records).values())

    def held(record: dict[str, Any]) -> tuple[Any, ...]:
        at = datetime.fromisoformat(record["timestamp"].replace("Z", "+00:00")).timestamp()
        return (*(record[name] for name in names), round(at * 1000), round(record.get("delay_ms", 0) * 1000))

    def shown(segment: dict[str, Any]) -> tuple[Any, ...]:
        annotations = tuple(segment["annotations"][name] for name in names)
        length = round((segment["end_time"] - segment["start_time"]) * 1e6)
        # A record's time has milliseconds, of which nothing is rounded up.
        return (*annotations, int(segment["start_time"] * 1000 + 1e-4), length)

    assert Counter(map(shown, segments)) == Counter(map(held, records))


@pytest.mark.parametrize("language", SAMPLES)
def test_each_injection_arrives_as_one_subsegment_of_its_invocations_trace(
    function: Function, receiver: Receiver, language: str
) -> None:
    code, handler = SAMPLES[language]
    layer = ROOT / f"dist/layers/faultlayer-{language}-{MACHINE}.zip"
    if not (layer.is_file() and Path(ROOT, code).is_dir()):
        pytest.skip(f"the layer and the sample of {language} are not built: make layers builds them")
    plan = function.plan(*FAULTS, experiment="traced", traces=True)
    command = [str(COMMAND), "run", "--runtime", language, "--code", code, "--handler", handler, "--plan", plan]
    options = ["--json", "-n", "12", "--id-seed", "1", "--timeout", "1m", "--memory", "512"]
    done = subprocess.run(
        [*command, *options, *told(receiver.address)], capture_output=True, encoding="utf-8", cwd=ROOT
    )
    if "cannot build the runtime interface client" in done.stderr:
        pytest.skip(done.stderr)
    assert done.returncode == 0, done.stderr
    records = injected(json.loads(done.stdout))
    assert {record["fault"] for record in records} == {"slow", "boom", "busy", "late"}
    check(receiver.segments(len(records)), records)


def test_faults_in_calls_are_subsegments_call_by_call(function: Function) -> None:
    function.code("""
        import boto3
        from botocore.config import Config

        keys = {"aws_access_key_id": "none", "aws_secret_access_key": "none", "region_name": "eu-west-1"}
        config = Config(retries={"mode": "standard", "max_attempts": 1})
        client = boto3.client("dynamodb", config=config, **keys)

        def handler(event, context):
            try:
                client.list_tables()
            except client.exceptions.ClientError as error:
                return error.response["Error"]["Code"]
    """)
    fault = {
        **{"id": "throttled", "kind": "aws_call", "rate": 1, "error": "throttle", "delay_ms": 2},
        "target": {"service": ["dynamodb"]},
    }
    plan = function.plan(fault, experiment="traced", traces=True)
    with xray.datagrams() as datagrams:
        report = function.run("--plan", plan, "-n", "2", "--timeout", "1m", *told(datagrams.address))
        assert outcomes(report) == ["ok", "ok"]
        records = injected(report)
        assert len(records) == 2
        check(datagrams.segments(2), records)


@pytest.mark.parametrize("fields", [{}, {"traces": False}, {"traces": True, "dry_run": True}])
def test_nothing_is_sent_that_is_not_asked_for_or_did_not_happen(function: Function, fields: dict[str, Any]) -> None:
    function.code("def handler(event, context):\n    return 1\n")
    with xray.datagrams() as datagrams:
        report = function.run("--plan", function.plan(*FAULTS, **fields), "-n", "4", *told(datagrams.address))
        assert any(invocation["records"] for invocation in report["invocations"])
        assert datagrams.segments(0) == []


def test_an_invocation_that_is_not_sampled_sends_nothing(function: Function) -> None:
    # The lab samples where a daemon is named; the function names it to the layer alone.
    function.code("""
        import os

        def handler(event, context):
            os.environ["AWS_XRAY_DAEMON_ADDRESS"] = event["daemon"]
            return os.environ["_X_AMZN_TRACE_ID"]
    """)
    with xray.datagrams() as datagrams:
        events = function.events(*[{"daemon": datagrams.address}] * 3)
        report = function.run("--plan", function.plan(FAULTS[0], traces=True), "--events", events)
        assert all(json.loads(call["answer"]).endswith(";Sampled=0") for call in report["invocations"])
        assert len(injected(report)) == 3
        assert datagrams.segments(0) == []


@pytest.mark.parametrize(
    "address", ["127.0.0.1:9", "nonsense", "localhost:2000", "127.0.0.1:0", "255.255.255.255:2000"]
)
def test_a_daemon_that_cannot_be_reached_changes_nothing(function: Function, address: str) -> None:
    function.code("def handler(event, context):\n    return 1\n")
    plan = function.plan(FAULTS[0], {**FAULTS[1], "when": "after"}, traces=True)
    report = function.run("--plan", plan, "-n", "20", *told(address))
    assert len([record for record in injected(report) if record["fault"] == "slow"]) == 20
    assert set(outcomes(report)) == {"ok", "error"}
