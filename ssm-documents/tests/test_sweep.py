"""The interruption sweep: every single API call of attach, of change and of roll-back is cut in every way; then a roll-back,
and every function is as it was. Prints the number of points tried."""

import json
import os
import sys
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from faultlayer_documents import aws as aws_module
from faultlayer_documents.aws import Aws
from labworld import LabWorld
from wire import MODES, Killed, Wire
from world import PLAN


@pytest.fixture
def steady(monkeypatch: pytest.MonkeyPatch) -> None:
    """One worker, so that the nth call is the same call every time; and no long waits."""
    pause = Aws.pause
    monkeypatch.setattr(aws_module, "WORKERS", 1)
    monkeypatch.setattr(aws_module, "ATTEMPTS", 4)
    monkeypatch.setattr(Aws, "pause", lambda self, seconds: pause(self, seconds / 25))


@pytest.fixture(scope="session")
def tried(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Says the number of points whatever pytest captures."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def say(text: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"sweep: {text}", file=sys.stderr, flush=True)

    return say


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


def run(steps: list[Callable[[], Any]], wire: Wire) -> bool:
    """Runs steps one after another as an execution does: none follows one that failed, or a cancellation. Whether all ran."""
    try:
        for step in steps:
            step()
            if wire.fired and wire.mode in ("cancel", "hang"):
                return False
        return True
    except (Exception, Killed):
        return False


def roll_back(lab: LabWorld, execution: str) -> dict[str, Any]:
    result = lab.restore(ExecutionId=execution)
    assert result["Left"] == 0, result
    return result


# Where nothing else is asked for, what differs most, dealt in turn: each call is cut in one of these ways. `SWEEP=all` cuts each
# in every way that there is, `SWEEP=hang` in that one.
SHORT = "denied_after kill hang".split()
WANTED = os.environ.get("SWEEP", "")
CUT_MODES = MODES if WANTED == "all" else WANTED.split() or SHORT


def first_and_step(mode: str) -> tuple[int, int]:
    """The first call that is cut this way, and how many calls on the next one is."""
    return (1, 1) if WANTED else (SHORT.index(mode) + 1, len(SHORT))


@pytest.mark.parametrize("mode", CUT_MODES)
def test_attach_cut_at_any_call_rolls_back_to_what_was(
    lab: LabWorld, steady: None, monkeypatch: pytest.MonkeyPatch, tried: Callable[[str], None], mode: str
) -> None:
    names, before = functions(lab)
    wire, points, (nth, step) = Wire(monkeypatch), 0, first_and_step(mode)
    while True:
        execution = str(uuid.uuid4())
        events = lab.events(names, execution, Alias="live")
        wire.arm(nth, mode, lambda execution=execution: roll_back(lab, execution))
        run([lambda events=events: lab.check(events), lambda execution=execution: lab.claim(execution)], wire)
        wire.disarm()
        if not wire.fired:
            roll_back(lab, execution)
            break
        points += 1
        if mode in ("cancel", "hang"):
            # What was cancelled has rolled back beside the script; nothing of the script may have come after it.
            assert {name: lab.snapshot(name) for name in names} == before, f"{mode} at call {nth}, {wire.fired}"
        roll_back(lab, execution)
        assert {name: lab.snapshot(name) for name in names} == before, f"{mode} at call {nth}, {wire.fired}"
        assert lab.parameters() == [], f"{mode} at call {nth}, {wire.fired}"
        nth += step
    tried(f"attach, {mode}: {points} points")
    assert nth - 1 > 25


@pytest.mark.parametrize("mode", CUT_MODES)
def test_roll_back_cut_at_any_call_is_finished_by_the_next(
    lab: LabWorld, steady: None, monkeypatch: pytest.MonkeyPatch, tried: Callable[[str], None], mode: str
) -> None:
    names, before = functions(lab)
    wire, points, (nth, step) = Wire(monkeypatch), 0, first_and_step(mode)
    while True:
        execution = lab.attach(names, Alias="live")
        assert all(lab.snapshot(name) != before[name] for name in names)
        wire.arm(nth, mode, lambda execution=execution: roll_back(lab, execution))
        run([lambda execution=execution: lab.restore(ExecutionId=execution)], wire)
        wire.disarm()
        if not wire.fired:
            break
        points += 1
        roll_back(lab, execution)
        assert {name: lab.snapshot(name) for name in names} == before, f"{mode} at call {nth}, {wire.fired}"
        assert lab.parameters() == [], f"{mode} at call {nth}, {wire.fired}"
        nth += step
    tried(f"roll-back, {mode}: {points} points")
    assert nth - 1 > 20


# What the plan is changed to, by its one fault's rate.
OLD, NEW = 0.5, 0.75
SOURCE = "/faultlayer/Faultlayer/plan/live"


def rate_of(plan: str) -> float:
    return float(json.loads(plan)["faults"][0]["rate"])


def rates(lab: LabWorld, names: list[str]) -> set[float]:
    """The rates of all plans that callers may meet: of each function, and of the version its alias points at."""
    configs = [lab.fn.get_function_configuration(FunctionName=name, **more) for name in names for more in ({}, {"Qualifier": "live"})]
    return {rate_of(config["Environment"]["Variables"]["FAULTLAYER_PLAN"]) for config in configs}


@pytest.mark.parametrize("mode", CUT_MODES)
def test_a_change_cut_at_any_call_leaves_the_old_plan_or_the_new_and_rolls_back_to_what_was(
    lab: LabWorld, steady: None, monkeypatch: pytest.MonkeyPatch, tried: Callable[[str], None], mode: str
) -> None:
    names, before = functions(lab)
    if os.environ.get("SWEEP") != "all":
        # The other goes the same way.
        names = names[-1:]
        before = {name: before[name] for name in names}
    wire, points, (nth, step), new = Wire(monkeypatch), 0, first_and_step(mode), PLAN.replace(str(OLD), str(NEW))
    while True:
        execution = lab.attach(names, Alias="live")
        wire.arm(nth, mode, lambda execution=execution: roll_back(lab, execution))
        run([lambda execution=execution: lab.change(execution, new)], wire)
        wire.disarm()
        if not wire.fired:
            assert rates(lab, names) == {NEW}
            roll_back(lab, execution)
            break
        points += 1
        at = f"{mode} at call {nth}, {wire.fired}"
        if mode in ("cancel", "hang"):
            # A roll-back in the middle wins: nothing of the change came after it.
            assert {name: lab.snapshot(name) for name in names} == before, at
        else:
            assert rates(lab, names) <= {OLD, NEW}, at
        roll_back(lab, execution)
        assert {name: lab.snapshot(name) for name in names} == before, at
        assert lab.parameters() == [], at
        nth += step
    tried(f"change, {mode}: {points} points")
    assert nth - 1 > 14


@pytest.mark.parametrize("mode", CUT_MODES)
def test_a_change_at_a_parameter_cut_at_any_call_rolls_back_to_what_stood_there(
    lab: LabWorld, steady: None, monkeypatch: pytest.MonkeyPatch, tried: Callable[[str], None], mode: str
) -> None:
    name = lab.function("sweep-live", "python", Layers=[lab.layer("AWS-Parameters-and-Secrets-Lambda-Extension")])
    before, new = lab.snapshot(name), PLAN.replace(str(OLD), str(NEW))
    old = PLAN.replace("{", '{"expires_at": "2096-01-01T00:00:00Z",', 1)
    lab.ssm.put_parameter(Name=SOURCE, Value=old, Type="String")

    def stands() -> str:
        return str(lab.ssm.get_parameter(Name=SOURCE)["Parameter"]["Value"])

    wire, points, (nth, step) = Wire(monkeypatch), 0, first_and_step(mode)
    while True:
        execution = lab.attach([name], Plan="", PlanSource=f"parameter:{SOURCE}")
        wire.arm(nth, mode, lambda execution=execution: roll_back(lab, execution))
        run([lambda execution=execution: lab.change(execution, new)], wire)
        wire.disarm()
        if not wire.fired:
            assert rate_of(stands()) == NEW
            roll_back(lab, execution)
            break
        points += 1
        at = f"{mode} at call {nth}, {wire.fired}"
        assert (stands() == old) if mode in ("cancel", "hang") else (rate_of(stands()) in (OLD, NEW)), at
        roll_back(lab, execution)
        assert stands() == old and lab.snapshot(name) == before, at
        assert lab.parameters("/faultlayer/Faultlayer/source") == lab.parameters() == [], at
        nth += step
    tried(f"change at a parameter, {mode}: {points} points")
    assert nth - 1 > 7
