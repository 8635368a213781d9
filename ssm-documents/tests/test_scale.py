"""Three hundred functions under the account's rates, attached and rolled back in the time that the check step printed."""

import json
import os
import re

import pytest
from labworld import LabWorld
from world import PLAN

FUNCTIONS = int(os.environ.get("SCALE", "300"))


def seconds(execution: dict, step: str) -> float:
    found = next(one for one in execution["StepExecutions"] if one["StepName"] == step)
    return float((found["ExecutionEndTime"] - found["ExecutionStartTime"]).total_seconds())


@pytest.mark.skipif("SCALE" not in os.environ, reason="takes two minutes: `make scale-ssm`")
def test_many_functions_take_the_estimated_time(lab: LabWorld, capsys: pytest.CaptureFixture[str]) -> None:
    lab.register()
    names = [lab.function(f"many-{at:03}", "bare", Tags={"chaos": "many"}) for at in range(FUNCTIONS)]
    before = {name: lab.snapshot(name) for name in names}
    lab.lab.post("/settings", {"rates": 1, "update_ms": 1000})
    execution = lab.finished(lab.start("Faultlayer-Attach", TagKey="chaos", TagValue="many", Plan=PLAN, DurationMinutes=9), 900, 1)
    identifier = execution["AutomationExecutionId"]
    assert execution["AutomationExecutionStatus"] == "Success", lab.story(identifier)
    estimate = next(step for step in execution["StepExecutions"] if step["StepName"] == "Attach")["Outputs"]["Estimate"][0]
    back = lab.finished(lab.start("Faultlayer-Rollback", ExecutionId=identifier), 900, 1)
    assert back["AutomationExecutionStatus"] == "Success", lab.story(back["AutomationExecutionId"])
    # Checking is the step's first part; both by their estimates.
    checking = FUNCTIONS * (2 / 10 + 0.02) + 1
    attaching, restoring = map(float, re.findall(r"about (\d+) s", estimate))
    expected = {"Attach": checking + attaching, "Restore": restoring}
    taken = {"Attach": seconds(execution, "Attach"), "Restore": seconds(back, "Restore")}
    calls = [call for one in (identifier, back["AutomationExecutionId"]) for call in lab.calls(one)]
    throttled = [call for call in calls if "hrottl" in call["outcome"] or "TooMany" in call["outcome"]]
    with capsys.disabled():
        print(f"\n{FUNCTIONS} functions: estimated {expected}, taken {taken}")
        print(f"{len(calls)} calls, {len(throttled)} throttled")
    lab.lab.post("/settings", {"rates": 0})
    assert json.loads(back["Outputs"]["Restore.Report"][0])["restored"] == FUNCTIONS
    assert {name: lab.snapshot(name) for name in names} == before
    for step, limit in expected.items():
        assert limit * 0.8 <= taken[step] <= limit * 1.2, step
