"""The shipped documents in the lab, from StartAutomationExecution to the end."""

import json

from labworld import LabWorld


def test_an_experiment_attaches_holds_and_leaves_everything_as_it_was(lab: LabWorld) -> None:
    lab.register()
    layer = lab.layer("own")
    names = [lab.function(kind=kind, Layers=[layer], Tags={"team": "x"}) for kind in ("python", "node", "java", "bare")]
    before = {name: lab.snapshot(name) for name in names}
    execution = lab.finished(lab.experiment(names, DurationMinutes=1))
    steps = [(step["StepName"], step["StepStatus"]) for step in execution["StepExecutions"]]
    assert execution["AutomationExecutionStatus"] == "Success", lab.story(execution["AutomationExecutionId"])
    assert steps == [("Check", "Success"), ("Attach", "Success"), ("Hold", "Success"), ("Rollback", "Success")]
    report = json.loads(execution["Outputs"]["Rollback.Report"][0])
    assert report == {"restored": 4, "unchanged": 0, "gone": [], "left": {}, "changed": {}}
    assert {name: lab.snapshot(name) for name in names} == before
    assert lab.parameters() == []
