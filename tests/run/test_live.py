"""A plan that changes while the function runs: in a file that it reads again and again."""

from __future__ import annotations

import subprocess

import pytest

from function import Function, answers

CODE = """
import json, time

def handler(event, context):
    if event == "try":
        time.sleep(0.01)
        return "own"
    fault = {"id": "it", "kind": "response", "rate": 1, "payload": event, "match": {"event": {"is": ["tried"]}}}
    plan = {"version": 1, "expires_at": "never", "faults": [fault]}
    with open("/tmp/plan.json", "w") as file:
        json.dump(plan, file)
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


@pytest.mark.parametrize("source", ["appconfig:a/b/c", "parameter:/a"])
def test_a_source_that_needs_an_extension_is_refused_without_it(function: Function, source: str) -> None:
    function.code(CODE)
    done = subprocess.run(function.command("--plan-source", source), capture_output=True, encoding="utf-8")
    assert done.returncode == 2 and "reads its plan through the layer" in done.stderr
