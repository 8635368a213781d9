"""Experiments that are interrupted at random moments on a busy machine: cancelled, or with one call of theirs failed, delayed
or lost. Judged is what no sweep of calls sees: whether everything is restored without anybody's hand."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from labworld import LabWorld

RUNS, BESIDE = int(os.environ.get("RANDOM_RUNS", "4")), int(os.environ.get("RANDOM_BESIDE", "4"))
DO = ["fail", "fail_after", "throttle", "drop", "drop_after", "kill", "kill_after", "cancel", "cancel_after"]
OPERATIONS = [
    "UpdateFunctionConfiguration", "GetFunction", "PutParameter", "GetParameters", "GetParametersByPath", "StartAutomationExecution",
    "GetAutomationExecution", "ListFunctions",
]  # fmt: skip
DENIED = {"code": "AccessDeniedException", "status": 403}


@pytest.fixture
def busy() -> Iterator[None]:
    """As many processes that do nothing but count as are asked for."""
    count = int(os.environ.get("RANDOM_BUSY", "0"))
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    yield
    for process in processes:
        process.kill()
        process.wait()


def rolls_back(lab: LabWorld, execution: str) -> bool:
    """Whether a roll-back of an execution's functions goes on."""
    asked = [{"Key": "DocumentNamePrefix", "Values": ["Faultlayer-Rollback"]}, {"Key": "ExecutionStatus", "Values": ["InProgress"]}]
    pages = lab.ssm.get_paginator("describe_automation_executions").paginate(Filters=asked)
    going = [one["AutomationExecutionId"] for page in pages for one in page["AutomationExecutionMetadataList"]]
    return any(lab.execution(one)["Parameters"]["ExecutionId"] == [execution] for one in going)


def runs_on(lab: LabWorld, execution: str) -> bool:
    """Whether a script of an execution does."""
    return any(one["execution"] == execution for one in lab.lab.get("/scripts")["scripts"])


def experiment(lab: LabWorld, seed: int, longest_s: float) -> str:
    """One interrupted experiment; what is wrong afterwards, or nothing."""
    source = random.Random(seed)
    names = [lab.function(kind=kind) for kind in ("python", "node")]
    before = {name: lab.snapshot(name) for name in names}

    def changed() -> list[str]:
        return [name for name in names if lab.snapshot(name) != before[name]]

    execution = lab.experiment(names, DurationMinutes=1)
    what = source.choice(["cancel", "hook", "denied", "both"])
    if what != "cancel":
        do = source.choice(DO) if what != "denied" else source.choice(["fail", "fail_after"])
        more = {"error": DENIED} if what == "denied" else {}
        what += f" {do}"
        lab.fault(source.randint(1, 4), do, execution, operation=source.choice(OPERATIONS), **more)
    if what.startswith(("cancel", "both")):
        time.sleep(source.uniform(0, longest_s))
        try:
            lab.ssm.stop_automation_execution(AutomationExecutionId=execution, Type="Cancel")
        except lab.ssm.exceptions.ClientError:
            what += ", too late"
    lab.finished(execution, 600)
    # As long as a script of it runs on, or a roll-back, which is an execution of its own, nothing can be said, however slow the machine.
    while runs_on(lab, execution) or (changed() and rolls_back(lab, execution)):
        time.sleep(1)
    wrong = changed()
    return f"seed {seed}, {what}: {wrong} attached\n{lab.story(execution)}" if wrong else ""


def test_an_experiment_restores_by_itself_whenever_it_is_interrupted(lab: LabWorld, busy: None, capsys: pytest.CaptureFixture[str]) -> None:
    lab.register()
    seeds, began = range(int(os.environ.get("RANDOM_SEED", "1")), 1_000_000), time.monotonic()
    longest = [4.0]

    def one(seed: int) -> str:
        begun = time.monotonic()
        found = experiment(lab, seed, longest[0])
        # Moments are spread over the time an experiment takes on this machine just now.
        longest[0] = 0.8 * longest[0] + 0.2 * (time.monotonic() - begun)
        return found

    with ThreadPoolExecutor(BESIDE) as pool:
        wrong = [found for found in pool.map(one, seeds[:RUNS]) if found]
    with capsys.disabled():
        took = time.monotonic() - began
        print(f"\nsweep: {RUNS} experiments interrupted at random in {took:.0f} s, {len(wrong)} not restored by themselves")
    assert not wrong, "\n".join(wrong)
