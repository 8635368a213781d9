"""The interruption sweep: every single API call of attach and of roll-back is cut in every way; then a roll-back, and
every function is as it was. Prints the number of points tried."""

import os
import uuid
from typing import Any

import pytest
from faultlayer_documents import aws as aws_module
from faultlayer_documents.attach import attach
from faultlayer_documents.aws import Aws
from faultlayer_documents.check import check
from faultlayer_documents.rollback import restore
from labworld import LabWorld
from wire import MODES, Killed, Wire


@pytest.fixture
def steady(monkeypatch: pytest.MonkeyPatch) -> None:
    """One worker, so that the nth call is the same call every time; and no long waits."""
    pause = Aws.pause
    monkeypatch.setattr(aws_module, "WORKERS", 1)
    monkeypatch.setattr(aws_module, "ATTEMPTS", 4)
    monkeypatch.setattr(Aws, "pause", lambda self, seconds: pause(self, seconds / 25))


def functions(lab: LabWorld) -> tuple[list[str], dict[str, Any]]:
    """One by its name, one with everything a function can have that attach touches."""
    lab.function("sweep-plain", "python", Layers=[lab.layer("own")], Tags={"team": "x"})
    lab.function("sweep-alias", "node")
    lab.fn.publish_version(FunctionName="sweep-alias")
    lab.fn.create_alias(FunctionName="sweep-alias", Name="live", FunctionVersion="1")
    names = ["sweep-plain", "sweep-alias"]
    lab.fn.publish_version(FunctionName="sweep-plain")
    lab.fn.create_alias(FunctionName="sweep-plain", Name="live", FunctionVersion="1")
    return names, {name: lab.snapshot(name) for name in names}


def run(steps: list[tuple[Any, dict[str, Any]]], wire: Wire) -> bool:
    """Runs steps one after another as an execution does: none follows one that failed, or a cancellation. Whether all ran."""
    try:
        for step, events in steps:
            step(events, None)
            if wire.fired and wire.mode in ("cancel", "hang"):
                return False
        return True
    except (Exception, Killed):
        return False


def roll_back(execution: str) -> dict[str, Any]:
    result = restore({"ExecutionId": execution}, None)
    assert result["Left"] == 0, result
    return result


def modes() -> list[str]:
    return os.environ.get("SWEEP", " ".join(MODES)).split()


@pytest.mark.parametrize("mode", modes())
def test_attach_cut_at_any_call_rolls_back_to_what_was(lab: LabWorld, steady: None, monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    names, before = functions(lab)
    wire, points = Wire(monkeypatch), 0
    while True:
        execution = str(uuid.uuid4())
        events = lab.events(names, execution, Alias="live")
        wire.arm(points + 1, mode, lambda execution=execution: roll_back(execution))
        run([(check, events), (attach, {"Execution": execution})], wire)
        wire.disarm()
        if not wire.fired:
            roll_back(execution)
            break
        points += 1
        if mode in ("cancel", "hang"):
            # What was cancelled has rolled back beside the script; nothing of the script may have come after it.
            assert {name: lab.snapshot(name) for name in names} == before, f"{mode} at call {points}, {wire.fired}"
        roll_back(execution)
        assert {name: lab.snapshot(name) for name in names} == before, f"{mode} at call {points}, {wire.fired}"
        assert lab.parameters() == [], f"{mode} at call {points}, {wire.fired}"
    print(f"\nattach, {mode}: {points} points")
    assert points > 25


@pytest.mark.parametrize("mode", modes())
def test_roll_back_cut_at_any_call_is_finished_by_the_next(lab: LabWorld, steady: None, monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    names, before = functions(lab)
    wire, points = Wire(monkeypatch), 0
    while True:
        execution = lab.attach(names, Alias="live")
        assert all(lab.snapshot(name) != before[name] for name in names)
        wire.arm(points + 1, mode, lambda execution=execution: roll_back(execution))
        run([(restore, {"ExecutionId": execution})], wire)
        wire.disarm()
        if not wire.fired:
            break
        points += 1
        roll_back(execution)
        assert {name: lab.snapshot(name) for name in names} == before, f"{mode} at call {points}, {wire.fired}"
        assert lab.parameters() == [], f"{mode} at call {points}, {wire.fired}"
    print(f"\nroll-back, {mode}: {points} points")
    assert points > 20
