"""Two stacks in one account, and a stack that is updated while its experiment runs."""

from __future__ import annotations

import zipfile
from pathlib import Path

from client import Lab, until

from conftest import Aws, Deployed
from experiments import Stack
from test_deploy import everything


def test_an_update_with_another_layer_in_mid_experiment_is_restored_all_the_same(
    lab: Lab, deployed: Deployed, dist: Path
) -> None:
    stack = Stack(lab, "one", deployed("one"))
    before = stack.configurations()
    lab.settings(speed=1)
    experiment = stack.start(stack.template())
    until(stack.attached, lambda names: names == stack.functions)
    for archive in (dist / "layers").glob("faultlayer-*.zip"):
        with zipfile.ZipFile(archive, "a") as layer:
            layer.writestr("another.txt", "another")
    stack.outputs = deployed("one")
    assert stack.attached() == stack.functions
    stack.client("fis").stop_experiment(id=experiment)
    assert stack.ended(experiment) == "stopped"
    until(stack.configurations, lambda now: now == before)


def test_one_stack_rolls_back_and_goes_while_the_others_experiment_runs_to_its_end(
    lab: Lab, deployed: Deployed, aws: Aws
) -> None:
    one, two = (Stack(lab, name, deployed(name)) for name in ("one", "two"))
    before = two.configurations()
    lab.settings(speed=1)
    for stack in (one, two):
        stack.start(stack.outputs["AttachOnlyTemplate"])
    experiment = two.start(two.outputs["NodeTemplate" if "NodeTemplate" in two.outputs else "AttachOnlyTemplate"])
    until(one.attached, bool)
    both = len({"two-python", *two.functions[1:2]})
    until(lambda: (two.attached(), two.state(experiment)), lambda seen: len(seen[0]) == both)
    assert one.automation("Rollback", AllMarked=["true"], DeleteMarks=["true"]) == "Success"
    assert one.attached() == []
    assert "two-python" in two.attached(), "another stack's functions are not ours to restore"
    aws("cloudformation", "delete-stack", "--stack-name", "one")
    aws("cloudformation", "wait", "stack-delete-complete", "--stack-name", "one")
    left = {name for names in everything(lab).values() for name in names}
    assert not [name for name in left if name.startswith(("one-", "/faultlayer/one/", "/aws/lambda/one-"))]
    lab.settings(speed=60)
    two.ended(experiment)
    assert two.automation("Rollback", AllMarked=["true"], DeleteMarks=["true"]) == "Success"
    assert two.configurations() == before
