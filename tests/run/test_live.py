"""A plan that changes while the function runs: in a file that it reads again and again."""

from __future__ import annotations

import json
import subprocess

import pytest

from function import Function, answers

CODE = """
import json, os, time

def handler(event, context):
    if event == "try":
        time.sleep(0.01)
        return "own"
    fault = {"id": event, "kind": "response", "rate": 1, "payload": event, "match": {"event": {"is": ["tried"]}}}
    plan = {"version": 1, "experiment": "live", "expires_at": "never", "faults": [fault]}
    with open("/tmp/plan.json.new", "w") as file:
        json.dump(plan, file)
    # Whole: a reading in the middle of a file finds no plan, and says so.
    os.replace("/tmp/plan.json.new", "/tmp/plan.json")
"""


def test_a_plan_in_a_file_is_followed_while_the_function_runs(function: Function) -> None:
    function.code(CODE.replace('event == "try"', 'event == {"is": "tried"}'))
    tries = [{"is": "tried"}] * 100
    events = function.events(*tries[:3], "one", *tries, "two", *tries)
    source = ["--plan-source", "file:/tmp/plan.json", "--env", "FAULTLAYER_PLAN_REFRESH_S=0"]
    # It says so where there is no plan yet.
    report = function.run(*source, "--events", events, status=1)
    said = answers(report)
    assert said[:3] == ["own"] * 3
    assert (said[103], said[204]) == ("one", "two")
    of = [answer for answer in said if answer]
    assert of == sorted(of, key=["own", "one", "two"].index)
    assert [record["reason"] for record in report["own_records"]] == ["plan_unreadable", "plan_readable"]


def test_what_a_plan_from_a_file_did_is_counted_by_the_records_and_compared(function: Function) -> None:
    function.code("def handler(event, context):\n    return 'own'\n")
    fault = {"id": "busy", "kind": "response", "rate": 0.5, "payload": "busy"}
    plan = {"version": 1, "experiment": "live", "expires_at": "never", "faults": [fault]}
    (function.folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    source, markdown = "file:/var/task/plan.json", function.folder / "report.md"
    arguments = ["--plan-source", source, "--compare", "-n", "60"]
    arguments += ["--expect", "injections > 0", "--report", str(markdown)]
    report = function.run(*arguments)
    hit = answers(report).count("busy")
    assert 0 < hit < 60
    [counted] = report["faults"]
    assert (counted["id"], counted["kind"], counted["rate"]) == ("busy", "response", 0.5)
    assert counted["drawn"] == counted["injected"] == hit
    assert "expected" not in counted
    assert (report["plan_source"], report["healthy"]["calls"]) == (source, 60)
    assert report["answers"] == {"compared": 60 - hit, "equal": 60 - hit}
    assert [one["state"] for one in report["expectations"]] == ["held"]
    text = markdown.read_text(encoding="utf-8")
    assert text.startswith("# `app.handler` under `live`\n")
    assert f"- the plan is read from: `{source}`, again and again" in text
    assert f"| `busy` | response | 0.5 | – | {hit} | {hit} |" in text
    table = subprocess.run(function.command(*arguments), capture_output=True, encoding="utf-8", check=True).stdout
    assert "under the plan" in table and "what the plan did" in table


def test_a_comparison_needs_a_plan(function: Function) -> None:
    function.code("def handler(event, context):\n    return 1\n")
    done = subprocess.run(function.command("--compare"), capture_output=True, encoding="utf-8")
    assert done.returncode == 2 and "<--plan <FILE>|--plan-source <SOURCE>>" in done.stderr


@pytest.mark.parametrize("source", ["appconfig:a/b/c", "parameter:/a"])
def test_a_source_that_needs_an_extension_is_refused_without_it(function: Function, source: str) -> None:
    function.code(CODE)
    done = subprocess.run(function.command("--plan-source", source), capture_output=True, encoding="utf-8")
    assert done.returncode == 2 and "reads its plan through the layer" in done.stderr
