"""Experiments of the deployed stack, ended in every way: faults only while they run, the functions what they were, by nobody's hand."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from datetime import datetime, timezone

import pytest
from client import Lab, command, until

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


WAYS = ("stop", "alarm", "lever", "max_duration", "kill")


@pytest.mark.parametrize("way", WAYS)
def test_whatever_ends_an_experiment_at_whatever_moment_restores(stack: Stack, way: str) -> None:
    before = stack.configurations()
    fis, cloudwatch = stack.client("fis"), stack.client("cloudwatch")
    shipped = stack.template()
    # In the lab's time: it passes 40 times as fast.
    short = stack.template(maxDuration="PT1M")
    moments = random.Random(way)
    ends = []
    for _ in range(ROUNDS):
        # Attaching takes two or three seconds here, and then it holds for seven.
        stack.lab.settings(speed=40)
        delay_s = moments.uniform(0, 6)
        if way == "kill":
            watching = subprocess.Popen(
                [command(), "experiment", "start", shipped, "--stack", stack.name],
                env={**os.environ, "AWS_ENDPOINT_URL": stack.lab.url, "AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "lab", "AWS_SECRET_ACCESS_KEY": "lab"},
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            time.sleep(delay_s)
            watching.send_signal(signal.SIGKILL)
            watching.wait()
        else:
            experiment = stack.start(short if way == "max_duration" else shipped)
            time.sleep(delay_s)
        if way == "stop":
            fis.stop_experiment(id=experiment)
        elif way == "alarm":
            cloudwatch.put_metric_data(Namespace=f"Faultlayer/{stack.name}", MetricData=[{"MetricName": "Stop", "Value": 1}])
        elif way == "lever":
            fis.update_safety_lever_state(id="default", state={"status": "engaged", "reason": "a test"})
        if way == "kill":
            running = [one["id"] for one in fis.list_experiments()["experiments"] if one["state"]["status"] not in FINAL]
            ends += [stack.ended(one) for one in running]
        else:
            ends.append(stack.ended(experiment))
        if way == "lever":
            fis.update_safety_lever_state(id="default", state={"status": "disengaged", "reason": "a test"})
        elif way == "alarm":
            cloudwatch.set_alarm_state(AlarmName=f"{stack.name}-stop", StateValue="OK", StateReason="a test")
        # The roll-back is an execution of its own and may still be at it.
        until(stack.configurations, lambda now: now == before, limit=180)
        assert stack.attached() == [], f"{way} after {delay_s:.2f} s"
    print(f"{way}: {ROUNDS} experiments interrupted, all restored; they ended {sorted(set(ends))}")


FINAL = {"completed", "stopped", "failed", "cancelled"}


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
