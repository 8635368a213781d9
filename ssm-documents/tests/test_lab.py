"""The shipped documents in the lab, from StartAutomationExecution to the end: what an experiment, a cancellation, a kill
and a hanging call come to when Automation runs the scripts as processes of their own."""

import json
import os
import time
from typing import Any

import pytest
from labworld import LabWorld


def four(lab: LabWorld) -> tuple[list[str], dict[str, Any]]:
    layer = lab.layer("own")
    names = [lab.function(kind=kind, Layers=[layer], Tags={"team": "x"}) for kind in ("python", "node", "java", "bare")]
    return names, {name: lab.snapshot(name) for name in names}


def now(lab: LabWorld, names: list[str]) -> dict[str, Any]:
    return {name: lab.snapshot(name) for name in names}


def statuses(execution: dict[str, Any]) -> dict[str, str]:
    return {step["StepName"]: step["StepStatus"] for step in execution["StepExecutions"]}


def wait_for(lab: LabWorld, execution: str, step: str) -> None:
    """Waits until a step runs."""
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        if statuses(lab.execution(execution)).get(step) == "InProgress":
            return
        time.sleep(0.05)
    raise AssertionError(lab.story(execution))


def test_an_experiment_attaches_holds_and_leaves_everything_as_it_was(lab: LabWorld) -> None:
    lab.register()
    names, before = four(lab)
    execution = lab.finished(lab.experiment(names, DurationMinutes=1))
    assert execution["AutomationExecutionStatus"] == "Success", lab.story(execution["AutomationExecutionId"])
    ran = {step: status for step, status in statuses(execution).items() if status != "Pending"}
    assert ran == {"Attach": "Success", "Hold": "Success", "Rollback": "Success"}
    report = json.loads(execution["Outputs"]["Rollback.Report"][0])
    assert report == {"restored": 4, "unchanged": 0, "gone": [], "left": {}, "changed": {}}
    assert execution["Outputs"]["Attach.Estimate"][0].startswith("4 functions: attaching takes about ")
    assert now(lab, names) == before and lab.parameters() == []


def test_attach_stays_until_it_is_rolled_back_by_name_alone(lab: LabWorld) -> None:
    lab.register()
    names, before = four(lab)
    execution = lab.finished(lab.experiment(names, "Faultlayer-Attach"))
    assert execution["AutomationExecutionStatus"] == "Success", lab.story(execution["AutomationExecutionId"])
    assert all(lab.snapshot(name) != before[name] for name in names)
    back = lab.finished(lab.start("Faultlayer-Rollback", FunctionNames=names))
    assert back["AutomationExecutionStatus"] == "Success", lab.story(back["AutomationExecutionId"])
    assert now(lab, names) == before and lab.parameters() == []


def test_a_refusal_fails_the_execution_and_says_every_reason(lab: LabWorld) -> None:
    lab.register()
    name = lab.function(Layers=[lab.layer(f"l{at}") for at in range(5)])
    before = lab.snapshot(name)
    execution = lab.finished(lab.experiment([name, "nobody"]))
    assert execution["AutomationExecutionStatus"] == "Failed"
    told = lab.story(execution["AutomationExecutionId"])
    assert "has 5 layers" in told and "`nobody`: does not exist" in told
    assert lab.snapshot(name) == before


def test_cancelled_in_the_hold_the_roll_back_runs_and_the_execution_is_cancelled(lab: LabWorld) -> None:
    lab.register()
    names, before = four(lab)
    lab.lab.post("/settings", {"speed": 1})
    execution = lab.experiment(names, DurationMinutes=30)
    wait_for(lab, execution, "Hold")
    assert all(lab.snapshot(name) != before[name] for name in names)
    lab.ssm.stop_automation_execution(AutomationExecutionId=execution, Type="Cancel")
    assert lab.finished(execution)["AutomationExecutionStatus"] == "Cancelled", lab.story(execution)
    lab.quiet()
    assert now(lab, names) == before and lab.parameters() == []


def test_the_two_minutes_of_a_cancellation_do_not_cut_the_roll_back(lab: LabWorld) -> None:
    lab.register()
    names, before = four(lab)
    lab.lab.post("/settings", {"speed": 1, "cancel_limit_s": 2})
    execution = lab.experiment(names, DurationMinutes=30)
    wait_for(lab, execution, "Hold")
    lab.ssm.stop_automation_execution(AutomationExecutionId=execution, Type="Cancel")
    lab.finished(execution)
    lab.quiet()
    assert now(lab, names) == before and lab.parameters() == []


# Writes and the reads before them: where a cut may leave something half done.
POINTS = [
    ("UpdateFunctionConfiguration", 1), ("UpdateFunctionConfiguration", 2), ("PutParameter", 1),
    ("GetParameters", 1), ("GetParameters", 2),
]  # fmt: skip


DO = [["cancel"], ["cancel", "hang"], ["cancel_after"], ["kill"], ["kill_after"], ["drop_after"]]
# Each is a whole execution with its processes; where nothing else is asked for, the two worst.
CUTS = [(*point, do) for point in POINTS for do in DO] if os.environ.get("SWEEP") == "all" else [
    ("UpdateFunctionConfiguration", 2, ["cancel", "hang"]), ("UpdateFunctionConfiguration", 1, ["kill_after"]),
]  # fmt: skip


@pytest.mark.parametrize(("operation", "nth", "do"), CUTS, ids=str)
def test_attach_as_a_process_cut_where_it_hurts(lab: LabWorld, operation: str, nth: int, do: list[str]) -> None:
    """With the script running on, killed, or one call of it on the wire until everything else has ended."""
    lab.register()
    names = [lab.function(kind="python"), lab.function(kind="node")]
    before = now(lab, names)
    lab.fault(nth, do, document="Faultlayer-Attach", operation=operation)
    execution = lab.experiment(names, "Faultlayer-Attach")
    if "hang" in do:
        lab.finished(execution)
        ends = time.monotonic() + 60
        while time.monotonic() < ends and any(
            one["AutomationExecutionStatus"] not in ("Success", "Failed", "Cancelled")
            for one in lab.ssm.describe_automation_executions()["AutomationExecutionMetadataList"]
        ):
            time.sleep(0.1)
        lab.lab.post("/hooks/release")
    status = lab.finished(execution)["AutomationExecutionStatus"]
    lab.quiet()
    lab.clear_faults()
    if status == "Success":
        assert do == ["drop_after"], "only a lost answer is made good by asking again"
    else:
        # Nobody has to come back: the document's own roll-back has taken everything off.
        assert now(lab, names) == before, lab.story(execution)
    back = lab.finished(lab.start("Faultlayer-Rollback", ExecutionId=execution))
    assert back["AutomationExecutionStatus"] == "Success", lab.story(back["AutomationExecutionId"])
    assert now(lab, names) == before and lab.parameters() == []


def test_a_roll_back_that_is_killed_is_tried_again_by_its_own_document(lab: LabWorld) -> None:
    lab.register()
    names, before = four(lab)
    execution = lab.finished(lab.experiment(names, "Faultlayer-Attach"))["AutomationExecutionId"]
    lab.fault(2, "kill_after", document="Faultlayer-Rollback", operation="UpdateFunctionConfiguration")
    back = lab.finished(lab.start("Faultlayer-Rollback", ExecutionId=execution))
    assert back["AutomationExecutionStatus"] == "Success", lab.story(back["AutomationExecutionId"])
    assert now(lab, names) == before and lab.parameters() == []


def test_what_is_left_fails_the_roll_back_and_the_experiment_and_is_named(lab: LabWorld) -> None:
    lab.register()
    names, before = four(lab)
    lab.lab.post("/settings", {"speed": 60})
    execution = lab.experiment(names, DurationMinutes=1)
    wait_for(lab, execution, "Hold")
    lab.lab.post(f"/functions/{names[1]}", {"environment_error": True})
    found = lab.finished(execution)
    assert found["AutomationExecutionStatus"] == "Failed" and names[1] in lab.story(execution)
    lab.lab.post(f"/functions/{names[1]}", {"environment_error": False})
    assert {name: lab.snapshot(name) == before[name] for name in names} == {name: name != names[1] for name in names}
    back = lab.finished(lab.start("Faultlayer-Rollback", AllMarked="true"))
    assert back["AutomationExecutionStatus"] == "Success" and now(lab, names) == before


def test_the_roll_back_is_started_once(lab: LabWorld) -> None:
    lab.register()
    names, _ = four(lab)
    lab.fault(1, "drop_after", document="Faultlayer-Experiment", operation="StartAutomationExecution")
    execution = lab.finished(lab.experiment(names, DurationMinutes=1))
    assert execution["AutomationExecutionStatus"] == "Success", lab.story(execution["AutomationExecutionId"])
    found = lab.ssm.describe_automation_executions()["AutomationExecutionMetadataList"]
    assert sorted(one["DocumentName"] for one in found) == ["Faultlayer-Experiment", "Faultlayer-Rollback"]
