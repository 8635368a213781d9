"""The lab is killed while the shipped documents attach, hold or restore: started again, it finishes what has to be finished."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from client import ROLE, Lab, until

from test_attach import PLAN, documents

NAMES = ["one", "two", "three"]


def begin(labs: list[Lab], state: Path) -> Lab:
    lab = Lab(state)
    labs.append(lab)
    lab.settings(update_ms=20, rates=0, poll_ms=20, speed=1)
    return lab


def same(config: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in config.items() if key not in {"RevisionId", "LastModified"}}


def all_ended(lab: Lab) -> list[dict[str, Any]]:
    """Every execution, the roll-backs that others started too, once none runs any more."""
    rows = until(
        lambda: lab.ssm.describe_automation_executions()["AutomationExecutionMetadataList"],
        lambda rows: all("ExecutionEndTime" in row for row in rows),
        120,
    )
    return list(rows)


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_killed_in_the_middle_of_attach(labs: list[Lab], tmp_path: Path, nth: int) -> None:
    lab = begin(labs, tmp_path)
    documents(lab)
    layer = lab.layer("faultlayer")
    before = {name: lab.function(name, Environment={"Variables": {"OWN": name}}) for name in NAMES}
    lab.hook("hang_after", nth=nth, operation="UpdateFunctionConfiguration")
    parameters = {"FunctionNames": NAMES, "Plan": [json.dumps(PLAN)], "PythonLayerX8664": [layer], "AutomationAssumeRole": [ROLE]}
    execution = lab.start("Faultlayer-Experiment", **parameters)
    until(lambda: lab.ask("GET", "/hooks")["hooks"][0]["hanging"], lambda hanging: hanging == 1)
    attached = [name for name in NAMES if "Layers" in lab.settled(name)]
    assert attached, "the write took effect before the kill"
    lab.kill()

    lab = begin(labs, tmp_path)
    assert lab.ended(execution)["AutomationExecutionStatus"] == "Failed"
    all_ended(lab)
    assert {name: same(lab.settled(name)) for name in NAMES} == {name: same(config) for name, config in before.items()}


def test_killed_in_the_hold(labs: list[Lab], tmp_path: Path) -> None:
    lab = begin(labs, tmp_path)
    documents(lab)
    layer = lab.layer("faultlayer")
    before = {name: lab.function(name) for name in NAMES}
    parameters = {"FunctionNames": NAMES, "Plan": [json.dumps(PLAN)], "PythonLayerX8664": [layer], "AutomationAssumeRole": [ROLE]}
    execution = lab.start("Faultlayer-Experiment", **parameters)
    until(lambda: lab.execution(execution), lambda view: view.get("CurrentStepName") == "Hold")
    lab.kill()

    lab = begin(labs, tmp_path)
    assert lab.execution(execution)["CurrentStepName"] == "Hold"
    assert all("Layers" in lab.settled(name) for name in NAMES)
    lab.ssm.stop_automation_execution(AutomationExecutionId=execution)
    assert lab.ended(execution)["AutomationExecutionStatus"] == "Cancelled"
    all_ended(lab)
    assert {name: same(lab.settled(name)) for name in NAMES} == {name: same(config) for name, config in before.items()}
