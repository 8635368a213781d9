"""Experiments of the deployed stack, ended in every way: faults only while they run, the functions what they were, by nobody's hand."""

from __future__ import annotations

import json
import os
import random
import subprocess
import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest
from client import Lab, command, until
from demo_account import environment

from conftest import Deployed
from experiments import LANGUAGES, Stack

CALLS = 25
# `make sweep-stack` interrupts many more.
ROUNDS = int(os.environ.get("FAULTLAYER_STACK_ROUNDS", "1"))


@pytest.fixture(scope="module")
def stack(lab: Lab, deployed: Deployed) -> Stack:
    return Stack(lab, "chaos", deployed("chaos"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_shipped_template_injects_only_while_it_runs_and_leaves_the_function_as_it_was(stack: Stack, language: str) -> None:
    if f"{language}Template" not in stack.outputs:
        pytest.skip(f"the stack has no layer for {language}: `make stack` says why")
    function = f"{stack.name}-{LANGUAGES[language]}"
    before = stack.configurations()
    assert stack.injected(function, CALLS) == 0
    stack.lab.settings(speed=1)
    experiment = stack.start(stack.outputs[f"{language}Template"])
    until(stack.attached, lambda names: names == [function])
    stack.configurations()
    assert stack.injected(function, CALLS) > 0
    stack.client("fis").stop_experiment(id=experiment)
    assert stack.ended(experiment) == "stopped"
    until(stack.configurations, lambda now: now == before)
    assert stack.injected(function, CALLS) == 0


def test_an_experiment_that_nobody_ends_completes_and_restores(stack: Stack) -> None:
    before = stack.configurations()
    # Of the lab's time all of it: five minutes pass in ten seconds, and the forty that are the most in eighty.
    stack.lab.settings(speed=30)
    assert stack.ended(stack.start(stack.template())) == "completed"
    assert stack.configurations() == before


def test_the_report_of_an_experiment_has_what_its_callers_met(stack: Stack) -> None:
    function = f"{stack.name}-python"
    if function not in stack.functions:
        pytest.skip("the stack has no layer for Python: `make stack` says why")
    stack.lab.settings(speed=30)
    experiment = stack.start(stack.outputs["PythonTemplate"])
    until(stack.attached, lambda names: names == [function])
    hit = 0
    while "endTime" not in stack.state(experiment):
        hit += stack.injected(function)
    own = environment(stack.lab.url, "eu-central-1") | {"AWS_REGION": "eu-central-1"}
    asked = [command(), "experiment", "report", experiment, "--stack", stack.name, "--period", "1", "--around", "5s", "--json"]
    done = subprocess.run(asked, env=own, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    met = {one["request_id"] for one in report["records"] if one["action"] == "injected"}
    assert len(met) == hit > 0
    [touched] = report["functions"]
    assert (touched["name"], touched["configuration"]) == (function, "as before")
    assert sum(fault["injected"] for fault in report["faults"]) >= hit


def stop(stack: Stack, experiment: str) -> None:
    stack.client("fis").stop_experiment(id=experiment)


def alarm(stack: Stack, experiment: str) -> None:
    values = [{"MetricName": "Stop", "Value": 1}]
    stack.client("cloudwatch").put_metric_data(Namespace=f"Faultlayer/{stack.name}", MetricData=values)
    stack.ended(experiment)
    stack.client("cloudwatch").set_alarm_state(AlarmName=f"{stack.name}-stop", StateValue="OK", StateReason="a test")


def lever(stack: Stack, experiment: str) -> None:
    fis = stack.client("fis")
    fis.update_safety_lever_state(id="default", state={"status": "engaged", "reason": "a test"})
    stack.ended(experiment)
    fis.update_safety_lever_state(id="default", state={"status": "disengaged", "reason": "a test"})


def nothing(stack: Stack, experiment: str) -> None:
    """Its `maxDuration` ends it, or it ends by itself."""


def restores(stack: Stack, before: dict[str, Any], experiment: str, moment: str) -> str:
    """How an experiment ended, once everything is what it was, which is judged however it ended."""
    end = stack.ended(experiment)
    # The roll-back is an execution of its own and may still be at it.
    until(stack.configurations, lambda now: now == before, limit=180)
    assert stack.attached() == [], moment
    return end


# How it is ended, what its `maxDuration` is then, and how FIS says that it ended.
WAYS: dict[str, tuple[Callable[[Stack, str], None], dict[str, str], set[str]]] = {
    "stop": (stop, {}, {"stopped"}),
    "alarm": (alarm, {}, {"stopped"}),
    "lever": (lever, {}, {"stopped"}),
    "max_duration": (nothing, {"maxDuration": "PT1M"}, {"failed"}),
}


@pytest.mark.parametrize("way", WAYS)
def test_whatever_ends_an_experiment_at_whatever_moment_restores(stack: Stack, way: str) -> None:
    end_it, parameters, ends = WAYS[way]
    before, template, moments = stack.configurations(), stack.template(**parameters), random.Random(way)
    # Attaching takes two or three seconds here, and then it holds for seven; a minute passes in one and a half.
    stack.lab.settings(speed=40)
    for _ in range(ROUNDS):
        delay_s = moments.uniform(0, 6)
        experiment = stack.start(template)
        time.sleep(delay_s)
        end_it(stack, experiment)
        assert restores(stack, before, experiment, f"{way} after {delay_s:.2f} s") in ends
    print(f"{way}: {ROUNDS} experiments interrupted, all restored")


def test_an_experiment_whose_command_is_killed_goes_on_and_restores(stack: Stack) -> None:
    before, template, moments = stack.configurations(), stack.template(), random.Random("kill")
    stack.lab.settings(speed=40)
    own = environment(stack.lab.url, "eu-central-1") | {"AWS_REGION": "eu-central-1"}
    for _ in range(ROUNDS):
        known, delay_s = stack.experiments(), moments.uniform(0, 6)
        watching = subprocess.Popen(
            [command(), "experiment", "start", template, "--stack", stack.name],
            env=own,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        [experiment] = until(lambda known=known: stack.experiments() - known, bool)  # type: ignore[misc]
        time.sleep(delay_s)
        watching.kill()
        watching.wait()
        assert restores(stack, before, experiment, f"killed after {delay_s:.2f} s") == "completed"
    print(f"kill: {ROUNDS} commands killed, all experiments completed and restored")


def test_nothing_fires_after_the_expiry_where_the_roll_back_is_prevented(stack: Stack) -> None:
    before = stack.configurations()
    function = stack.functions[0]
    fault = {"id": "slow", "kind": "latency", "rate": 1, "delay_ms": 1}
    plan = json.dumps({"version": 1, "experiment": "expiry", "faults": [fault]})
    stack.lab.settings(speed=600)
    assert stack.automation("Attach", FunctionNames=[function], Plan=[plan], DurationMinutes=["1"]) == "Success"
    variables = stack.configurations()[function]["Environment"]["Variables"]
    ends = datetime.fromisoformat(json.loads(variables["FAULTLAYER_PLAN"])["expires_at"].replace("Z", "+00:00"))
    assert stack.injected(function, 3) == 3
    cut = {"code": "AccessDeniedException", "status": 403, "message": "cut off"}
    stack.lab.hook("fail", times=0, error=cut, service="lambda", operation="UpdateFunctionConfiguration")
    assert stack.automation("Rollback", FunctionNames=[function]) != "Success"
    until(lambda: datetime.now(timezone.utc), lambda now: now > ends, limit=300)
    assert stack.attached() == [function]
    assert stack.injected(function, 5) == 0
    stack.lab.ask("DELETE", "/hooks")
    assert stack.automation("Rollback", FunctionNames=[function]) == "Success"
    assert stack.configurations() == before
