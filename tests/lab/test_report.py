"""`faultlayer experiment report` and what is expected of an experiment: what the lab serves of its own invocations, read by the command."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from client import Lab
from reported import SPAN, called, gone_through, prepared
from test_cloudwatch import metric
from test_fis import automation, ended, run, start


@pytest.fixture
def functions(lab: Lab) -> Lab:
    return prepared(lab)


def test_an_experiments_report_says_what_was_before_during_and_after(functions: Lab, tmp_path: Path) -> None:
    experiment, hit = gone_through(functions)
    expected = ("errors < 90%", "max < 1ms", "timeouts = 0", "injections > 0", "alarm stop stays OK", "alarm none stays OK")
    wanted = [argument for text in expected for argument in ("--expect", text)]
    files = [argument for end in ("html", "md", "json") for argument in ("--report", str(tmp_path / f"report.{end}"))]
    done = run(functions, "report", experiment, *SPAN, *wanted, *files)
    assert done.returncode == 3, done.stdout + done.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    states = {one["text"]: one["state"] for one in report["expectations"]}
    assert list(states.values()) == ["held", "broken", "not_measurable", "held", "held", "not_measurable"]
    before, during, after = report["phases"]
    assert [phase["name"] for phase in report["phases"]] == ["before", "during", "after"]
    assert (before["errors"], after["errors"]) == ({}, {})
    assert before["calls"] > 20
    assert after["calls"] > 4
    assert during["calls"] > during["errors"]["of any type"] > 4
    assert during["latency_ms"]["p99"] >= 50
    # Records are of every moment, figures of whole periods.
    [fault] = report["faults"]
    assert fault["injected"] == len(hit) == report["records_in_all"]
    assert sum(moment.get("injected", {}).get("slow", 0) for moment in report["timeline"]["moments"]) == len(hit)
    facts = dict(report["facts"])
    assert facts["injections, as CloudWatch counts them"] == f"`slow` {len(hit)}, in the namespace `Faultlayer`"
    assert [mark["label"] for mark in report["marks"]] == ["attach", "hold", "roll back", "ended"]
    configurations = {one["name"]: one["configuration"] for one in report["functions"]}
    assert configurations == {"one": "as before", "two": "as before, but for what its owner changed meanwhile: field Timeout"}
    assert sum(one["calls"] for one in report["functions"]) == during["calls"]
    page, text = (tmp_path / "report.html").read_text(), (tmp_path / "report.md").read_text()
    assert '<h2 id="functions">The functions</h2>' in page
    assert f"| calls | {before['calls']} | {during['calls']} | {after['calls']} |" in text
    assert f"the report: {tmp_path / 'report.html'}" in done.stdout
    # What every invocation of the functions' is, whichever phase it fell into.
    total = sum(moment["calls"] for moment in report["timeline"]["moments"])
    assert total <= metric(functions, "Invocations", "Sum", "one") + metric(functions, "Invocations", "Sum", "two")


def made(lab: Lab) -> str:
    return made_of(lab, automation(Hold="PT3S", FunctionNames=["arn:aws:lambda:eu-central-1:123456789012:function:one"]))


def made_of(lab: Lab, action: dict[str, Any]) -> str:
    return str(
        lab.client("fis").create_experiment_template(
            description="a test", stopConditions=[{"source": "none"}], roleArn="arn:aws:iam::123456789012:role/fis",
            actions={"faults": action}, tags={},
        )["experimentTemplate"]["id"]
    )  # fmt: skip


def test_an_experiment_whose_steady_state_is_broken_is_not_started_unless_told(functions: Lab) -> None:
    template = made(functions)
    with called(functions, lambda: {"fail": True}):
        time.sleep(4)
        begin = ("start", template, *SPAN, "--expect", "errors < 1%", "--expect", "injections > 0")
        done = run(functions, *begin)
        assert done.returncode == 3
        assert "  errors < 1%: broken (" in done.stderr
        assert "not started: the steady state is broken before it" in done.stderr
        assert "injections" not in done.stderr
        assert functions.client("fis").list_experiments()["experiments"] == []
        again = run(functions, *begin, "--despite-steady-state", "--settle", "0s")
    assert again.returncode == 3
    assert "started despite its steady state, as told" in again.stderr
    assert "# Experiment `EXP" in again.stdout
    assert "| `errors < 1%` | ❌ broken |" in again.stdout


def test_what_holds_before_and_during_is_a_success_and_what_nobody_called_cannot_be_measured(functions: Lab) -> None:
    template = made(functions)
    begin = ("start", template, *SPAN, "--settle", "0s", "--expect", "errors < 1%")
    with called(functions, dict):
        time.sleep(3)
        done = run(functions, *begin, "--expect", "alarm stop stays OK", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["verdict"]["state"] == "held"
    time.sleep(6)
    silent = run(functions, *begin)
    assert silent.returncode == 4, silent.stdout + silent.stderr
    assert "no call was made" in silent.stderr
    assert "| `errors < 1%` | ❔ not measurable |" in silent.stdout


def test_a_report_names_what_is_not_there(functions: Lab) -> None:
    missing = run(functions, "report", "EXP00000000000000000")
    assert (missing.returncode, "does not exist" in missing.stderr) == (2, True)
    tagged = start(functions, {"faults": automation(Hold="PT1S", FunctionNames=[])}, stop=False)
    unnamed = run(functions, "report", tagged)
    assert (unnamed.returncode, "expected `--function NAME`" in unnamed.stderr) == (2, True)
    # Before something is attached there are no records to look for.
    ended(functions, tagged)
    unlogged = run(functions, "report", tagged, "--function", "nobody")
    assert "`nobody` has no log group" in unlogged.stdout.replace("\\_", "_")
    for wrong in (("--period", "7"), ("--around", "0s"), ("--expect", "errors")):
        assert run(functions, "report", tagged, *wrong).returncode == 2


LOAD = """
import os, boto3
client = boto3.client("lambda", region_name=os.environ["AWS_REGION"])
while True:
    for name in os.environ["FAULTLAYER_FUNCTIONS"].split():
        client.invoke(FunctionName=name, Payload="{}")
"""


def test_a_load_of_the_users_own_calls_the_functions_before_during_and_after(functions: Lab, tmp_path: Path) -> None:
    (tmp_path / "load.py").write_text(LOAD)
    load = f"{sys.executable} {tmp_path / 'load.py'}"
    template = made(functions)
    done = run(functions, "start", template, *SPAN, "--settle", "0s", "--expect", "errors < 1%", "--load", load, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    calls = {phase["name"]: phase["calls"] for phase in json.loads(done.stdout)["phases"]}
    assert all(calls.values()), calls
    # It has ended with the command.
    counted = metric(functions, "Invocations", "Sum")
    time.sleep(1)
    assert metric(functions, "Invocations", "Sum") == counted
    known = len(functions.client("fis").list_experiments()["experiments"])
    over = run(functions, "start", template, *SPAN, "--load", "exit 3")
    assert (over.returncode, "load: the load has ended by itself: exit status: 3; nothing was started" in over.stderr) == (
        2,
        True,
    )
    assert len(functions.client("fis").list_experiments()["experiments"]) == known
