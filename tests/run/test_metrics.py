"""A plan's `metrics`: the record of each injection is a document of CloudWatch's embedded metric format."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from function import ROOT, Function, logged

SCHEMA = json.loads((ROOT / "tests/vectors/emf.schema.json").read_text(encoding="utf-8"))
DOCUMENT = jsonschema.Draft7Validator(SCHEMA)

FAULTS = (
    {"id": "slow", "kind": "latency", "rate": 1, "delay_ms": {"uniform": {"min": 1, "max": 3}}},
    {"id": "boom", "kind": "error", "rate": 0.5, "type": "Error", "message": "no"},
    {"id": "busy", "kind": "response", "rate": 1, "status": 503},
)
CODE = {
    "python": ("app.py", "def handler(event, context):\n    return 1\n"),
    "node": ("app.js", "exports.handler = async () => 1;\n"),
}


def values(record: dict[str, Any]) -> dict[str, tuple[float, str]]:
    """What CloudWatch takes out of a document: each metric's value and unit; every member that it names is there."""
    [directive] = record["_aws"]["CloudWatchMetrics"]
    for dimensions in directive["Dimensions"]:
        # CloudWatch passes over a document whose dimension is no text, or empty.
        assert all(isinstance(record[name], str) and record[name] for name in dimensions)
    return {metric["Name"]: (record[metric["Name"]], metric["Unit"]) for metric in directive["Metrics"]}


@pytest.mark.parametrize("log_format", ["Text", "JSON"])
@pytest.mark.parametrize("language", CODE)
def test_each_injected_record_is_a_metric_document_in_both_log_formats(
    function: Function, language: str, log_format: str
) -> None:
    name, code = CODE[language]
    function.code(code, name)
    plan = function.plan(*FAULTS, experiment="metrics", metrics={"namespace": "Faultlayer/Tests"})
    environment = ["--env", f"AWS_LAMBDA_LOG_FORMAT={log_format}", "--env", "AWS_LAMBDA_LOG_LEVEL=WARN"]
    report = function.run("--plan", plan, "-n", "20", "--memory", "256", *environment, runtime=language)
    records = [json.loads(line) for line in logged(report) if '"source":"faultlayer"' in line]
    injected = [record for record in records if record["action"] == "injected"]
    assert {record["fault"] for record in injected} == {"slow", "boom", "busy"}
    for record in injected:
        DOCUMENT.validate(record)
        [directive] = record["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == "Faultlayer/Tests"
        assert directive["Dimensions"] == [["experiment", "kind"], ["experiment", "fault"]]
        # Below WARN, or without a time, a function's log in JSON may leave a line out.
        written = datetime.fromisoformat(record["timestamp"].replace("Z", "+00:00"))
        assert record["level"] == "WARN"
        assert record["_aws"]["Timestamp"] == round(written.timestamp() * 1000)
        delay = {"delay_ms": (record["delay_ms"], "Milliseconds")} if record["kind"] == "latency" else {}
        assert values(record) == {"injections": (1, "Count"), **delay}
    counted = {fault["id"]: fault["injected"] for fault in report["faults"]}
    for fault, count in counted.items():
        assert sum(values(record)["injections"][0] for record in injected if record["fault"] == fault) == count
    skipped = [record for record in records if record["action"] == "skipped"]
    assert skipped, "an error of the first fault supersedes the third's answer"
    assert not any("_aws" in record or "injections" in record for record in skipped)


def test_without_an_experiment_the_dimensions_are_kind_and_fault_and_a_dry_run_counts_nothing(
    function: Function,
) -> None:
    function.code(CODE["python"][1])
    plan = function.plan(*FAULTS, metrics={"namespace": "Faultlayer"})
    records = [record for call in function.run("--plan", plan, "-n", "4")["invocations"] for record in call["records"]]
    documents = [record for record in records if "_aws" in record]
    assert documents
    for record in documents:
        DOCUMENT.validate(record)
        assert record["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["kind"], ["fault"]]
    dry = function.plan(*FAULTS, metrics={"namespace": "Faultlayer"}, dry_run=True)
    records = [record for call in function.run("--plan", dry, "-n", "4")["invocations"] for record in call["records"]]
    assert records
    assert not any("_aws" in record for record in records)


def test_a_report_of_records_that_are_metrics_shows_what_they_say_of_the_fault(function: Function) -> None:
    function.code(CODE["python"][1])
    plan = function.plan(FAULTS[0], metrics={"namespace": "Faultlayer"})
    page = function.folder / "page.html"
    function.run("--plan", plan, "-n", "2", "--report", str(page))
    text = page.read_text(encoding="utf-8")
    assert "<td>delay_ms: " in text
    assert "CloudWatchMetrics" not in text
