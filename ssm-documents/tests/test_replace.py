"""A running execution gets another plan: every function by one update, or the parameter they read it from; and whatever it
did, a roll-back leaves what was."""

import json
import threading
import uuid
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from faultlayer_documents import replace as replace_module
from faultlayer_documents.check import Refused
from faultlayer_documents.confirm import NotChanged
from labworld import LabWorld
from world import PLAN

ARN = "arn:aws:lambda:{}:{}:layer:{}:1"
EXTENSION = "AWS-Parameters-and-Secrets-Lambda-Extension"
SOURCE = "/faultlayer/Faultlayer/plan/live"


def plan(rate: float = 0.75, message: str = "m", **more: Any) -> str:
    """Another plan than PLAN."""
    fault = {"id": "b", "kind": "error", "rate": rate, "type": "ValueError", "message": message}
    return json.dumps({"version": 1, "experiment": "t", **more, "faults": [fault]})


def later(minutes: float) -> str:
    return (datetime.now(timezone.utc) + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def plan_on(lab: LabWorld, name: str) -> dict[str, Any]:
    return dict(json.loads(lab.config(name)["Environment"]["Variables"]["FAULTLAYER_PLAN"]))


def several(lab: LabWorld) -> tuple[list[str], dict[str, Any]]:
    names = [lab.function(kind=kind) for kind in ("python", "node", "java")]
    return names, {name: lab.snapshot(name) for name in names}


def test_every_function_has_the_other_plan_and_nothing_else_is_changed(lab: LabWorld) -> None:
    names, before = several(lab)
    execution = lab.attach(names)
    attached = {name: lab.snapshot(name) for name in names}
    until = plan_on(lab, names[0])["expires_at"]
    assert lab.change(execution, plan()) == {"changed": names, "unchanged": [], "left": {}}
    for name in names:
        now, found = lab.snapshot(name), plan_on(lab, name)
        assert [fault["id"] for fault in found["faults"]] == ["b"] and found["expires_at"] == until and found["starts_at"] <= later(0)
        now["Environment"]["Variables"]["FAULTLAYER_PLAN"] = attached[name]["Environment"]["Variables"]["FAULTLAYER_PLAN"]
        assert now == attached[name]
    assert lab.roll_back(ExecutionId=execution) == {"restored": 3, "unchanged": 0, "gone": [], "left": {}, "changed": {}}
    assert {name: lab.snapshot(name) for name in names} == before and lab.parameters("/faultlayer/Faultlayer/source") == []


def test_the_same_plan_again_changes_nothing(lab: LabWorld) -> None:
    name = lab.function()
    execution = lab.attach([name])
    same = plan(starts_at="2026-01-01T00:00:00Z", expires_at=later(5))
    assert lab.change(execution, same)["changed"] == [name]
    revision = lab.config(name)["RevisionId"]
    assert lab.change(execution, same) == {"changed": [], "unchanged": [name], "left": {}}
    assert lab.config(name)["RevisionId"] == revision


def test_callers_of_an_alias_get_the_other_plan_and_the_alias_goes_back(lab: LabWorld) -> None:
    name = lab.function()
    lab.fn.publish_version(FunctionName=name)
    lab.fn.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    before = lab.snapshot(name)
    execution = lab.attach([name], Alias="live")

    def called() -> dict[str, Any]:
        found = lab.fn.get_function_configuration(FunctionName=name, Qualifier="live")
        return dict(json.loads(found["Environment"]["Variables"]["FAULTLAYER_PLAN"]))

    for rate in (0.25, 0.5):
        assert lab.change(execution, plan(rate))["changed"] == [name]
        assert called()["faults"][0]["rate"] == rate
    same = plan(0.5, starts_at="2026-01-01T00:00:00Z", expires_at=later(5))
    lab.change(execution, same)
    assert lab.change(execution, same)["unchanged"] == [name]
    assert lab.roll_back(ExecutionId=execution)["changed"] == {}
    assert lab.snapshot(name) == before


def test_a_dry_run_stays_one(lab: LabWorld) -> None:
    name = lab.function()
    lab.change(lab.attach([name], DryRun=True), plan(dry_run=False))
    assert plan_on(lab, name)["dry_run"] is True


def test_a_long_plan_comes_through_a_parameter_that_is_gone_then(lab: LabWorld) -> None:
    name = lab.function()
    before = lab.snapshot(name)
    execution = lab.attach([name])
    once = "/faultlayer/Faultlayer/once/x"
    lab.ssm.put_parameter(Name=once, Value=plan(message="x" * 900), Type="String")
    assert lab.change(execution, f"parameter:{once}")["changed"] == [name]
    assert lab.parameters("/faultlayer/Faultlayer/once") == []
    lab.roll_back(ExecutionId=execution)
    assert lab.snapshot(name) == before


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"rate": 2}, r"faults\[0\].rate: "),
        ({"plan": "nonsense"}, "expected JSON"),
        ({"plan": "parameter:/nowhere"}, "no parameter `/nowhere`"),
        ({"expires_at": "never"}, "`never` comes after the end of what is attached"),
        ({"minutes": 60}, "comes after the end of what is attached"),
        ({"minutes": -1}, "has passed"),
        ({"starts_at": "2046-01-01T00:00:00Z"}, "starts_at: .* comes after the end"),
        ({"message": "x" * 300, "long": True}, "bytes together, the most is 4096"),
    ],
    ids=str,
)
def test_a_plan_that_attaching_would_refuse_or_that_outlives_the_hold_is_refused(lab: LabWorld, given: dict[str, Any], said: str) -> None:
    name = lab.function(Environment={"Variables": {"LONG": "x" * 3500}} if given.get("long") else {"Variables": {}})
    execution = lab.attach([name])
    attached = lab.snapshot(name)
    more = {key: value for key, value in given.items() if key not in ("plan", "minutes", "long")}
    more |= {"expires_at": later(given["minutes"])} if "minutes" in given else {}
    with pytest.raises(NotChanged, match="(?s)nothing was changed.*" + said):
        lab.change(execution, given.get("plan") or plan(**more))
    assert lab.snapshot(name) == attached


def test_what_is_not_attached_is_not_changed(lab: LabWorld) -> None:
    name = lab.function()
    with pytest.raises(NotChanged, match="there is no execution"):
        lab.change(str(uuid.uuid4()), plan())
    events = lab.events([name])
    lab.check(events)
    with pytest.raises(NotChanged, match="has not attached everything"):
        lab.change(events["Execution"], plan())
    lab.claim(events["Execution"])
    lab.roll_back(ExecutionId=events["Execution"])
    with pytest.raises(NotChanged, match="has nothing attached"):
        lab.change(events["Execution"], plan())


def test_a_record_that_somebody_else_wrote_changes_nothing(lab: LabWorld) -> None:
    names, _ = several(lab)
    mine, others = lab.attach(names[:1]), lab.attach(names[1:])
    attached = {name: lab.snapshot(name) for name in names}
    path = "/faultlayer/Faultlayer/record"
    foreign = lab.ssm.get_parameter(Name=f"{path}/{others}/000")["Parameter"]["Value"]
    lab.ssm.put_parameter(Name=f"{path}/{mine}/001", Value=foreign, Type="String")
    with pytest.raises(NotChanged, match="is not the one it wrote"):
        lab.change(mine, plan())
    assert {name: lab.snapshot(name) for name in names} == attached


def test_what_is_no_longer_held_is_left_and_named_and_the_others_are_changed(lab: LabWorld) -> None:
    names = [lab.function() for _ in range(5)]
    execution = lab.attach(names)
    lab.fn.delete_function(FunctionName=names[0])
    lab.roll_back(FunctionNames=[names[1]])
    lab.fn.update_function_configuration(FunctionName=names[2], Layers=[])
    variables = lab.config(names[3])["Environment"]["Variables"]
    lab.fn.update_function_configuration(FunctionName=names[3], Environment={"Variables": {**variables, "ADDED": "1"}})
    report = lab.change(execution, plan())
    assert report["left"] == {
        names[0]: "does not exist any more",
        names[1]: "is not attached by this execution any more",
        names[2]: "somebody took its layer off",
    }
    # What its owner changed meanwhile stays.
    assert report["changed"] == names[3:] and lab.config(names[3])["Environment"]["Variables"]["ADDED"] == "1"


def test_a_roll_back_that_begins_in_the_middle_wins(lab: LabWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    names, before = several(lab)
    execution = lab.attach(names)
    write = replace_module.Replacer.go_on
    began = threading.Event()

    def meanwhile(self: Any, name: str) -> None:
        write(self, name)
        if name == names[1] and not began.is_set():
            began.set()
            lab.roll_back(ExecutionId=execution)

    monkeypatch.setattr(replace_module.Replacer, "go_on", meanwhile)
    report = lab.change(execution, plan())
    assert names[1] in report["left"] and {name: lab.snapshot(name) for name in names} == before
    assert lab.roll_back(ExecutionId=execution)["restored"] == 0 and lab.parameters() == []


# --- a live plan


def live(lab: LabWorld, **more: Any) -> str:
    """A function with the extension that reads parameters."""
    return lab.function(Layers=[lab.layer(EXTENSION)], **more)


def write(lab: LabWorld, value: str, kind: str = "String") -> None:
    lab.ssm.put_parameter(Name=SOURCE, Value=value, Type=kind, Overwrite=True)


def written(lab: LabWorld) -> str:
    return str(lab.ssm.get_parameter(Name=SOURCE, WithDecryption=True)["Parameter"]["Value"])


def attach_live(lab: LabWorld, names: list[str]) -> str:
    write(lab, plan(0.1, expires_at=later(30)))
    return lab.attach(names, Plan="", PlanSource=f"parameter:{SOURCE}")


@pytest.mark.parametrize("source", ["file:/mnt/plan.json", "appconfig:shop/prod/faults", f"parameter:{SOURCE}"])
def test_functions_get_the_source_itself_and_are_restored(lab: LabWorld, source: str) -> None:
    layers = [lab.layer(name) for name in (EXTENSION, "AWS-AppConfig-Extension")]
    name = lab.function(Layers=layers)
    before = lab.snapshot(name)
    write(lab, plan(expires_at=later(30)))
    execution = lab.attach([name], Plan="", PlanSource=source)
    assert lab.config(name)["Environment"]["Variables"]["FAULTLAYER_PLAN"] == source
    assert lab.roll_back(ExecutionId=execution)["changed"] == {}
    assert lab.snapshot(name) == before


@pytest.mark.parametrize(("architecture", "suffix"), [("x86_64", ""), ("arm64", "-Arm64")])
@pytest.mark.parametrize(("source", "extension"), [(f"parameter:{SOURCE}", EXTENSION), ("appconfig:a/e/p", "AWS-AppConfig-Extension")])
def test_without_the_extension_that_reads_the_source_a_function_is_refused(
    lab: LabWorld, architecture: str, suffix: str, source: str, extension: str
) -> None:
    write(lab, plan(expires_at=later(30)))
    # The other architecture's does not run there.
    wrong = lab.layer(extension + ("-Arm64" if not suffix else ""))
    arm = {"PythonLayerArm64": lab.layer("faultlayer-python-arm64", CompatibleArchitectures=["arm64"])}
    name = lab.function(Layers=[wrong], Architectures=[architecture])
    with pytest.raises(Refused, match=f"`{name}`: reads its plan through the layer `{extension}{suffix}`, which it has not"):
        lab.check(lab.events([name], Plan="", PlanSource=source, **arm))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (plan(), "expires_at: the plan at `parameter:.*` has none"),
        (plan(expires_at="2026-01-01T00:00:00Z"), "expires_at: .* comes before the end of the hold"),
        (plan(2, expires_at="never"), r"faults\[0\].rate"),
        ("nonsense", "expected JSON"),
    ],
)
def test_a_plan_at_a_parameter_is_checked_where_the_role_can_read_it(lab: LabWorld, value: str, said: str) -> None:
    write(lab, value)
    with pytest.raises(Refused, match=said):
        lab.check(lab.events([live(lab)], Plan="", PlanSource=f"parameter:{SOURCE}"))


def test_a_source_goes_with_neither_a_plan_nor_a_dry_run(lab: LabWorld) -> None:
    write(lab, plan(expires_at=later(30)))
    name = live(lab)
    for more, said in (
        ({"Plan": PLAN}, "give either `Plan` or `PlanSource`"),
        ({"Plan": "", "PlanSource": ""}, "give either `Plan` or `PlanSource`"),
        ({"Plan": "", "DryRun": True}, "DryRun: only with `Plan`"),
    ):
        with pytest.raises(Refused, match=said):
            lab.check(lab.events([name], **{"PlanSource": f"parameter:{SOURCE}", **more}))


def test_a_live_plan_is_changed_at_its_parameter_and_put_back(lab: LabWorld) -> None:
    names = [live(lab), live(lab, kind="node")]
    before = {name: lab.snapshot(name) for name in names}
    execution = attach_live(lab, names)
    first, attached = written(lab), {name: lab.config(name)["RevisionId"] for name in names}
    for rate in (0.2, 0.3):
        assert lab.change(execution, plan(rate)) == {"changed": names, "unchanged": [], "left": {}, "source": f"parameter:{SOURCE}"}
        now = json.loads(written(lab))
        assert now["faults"][0]["rate"] == rate and now["expires_at"] == json.loads(first)["expires_at"]
    # No environment begins anew for it.
    assert {name: lab.config(name)["RevisionId"] for name in names} == attached
    assert lab.change(execution, written(lab))["unchanged"] == names
    assert lab.roll_back(ExecutionId=execution)["changed"] == {}
    assert written(lab) == first and {name: lab.snapshot(name) for name in names} == before
    assert lab.parameters("/faultlayer/Faultlayer/source") == [] == lab.parameters()


@pytest.mark.parametrize("by", [{"AllMarked": True}, {"FunctionNames": ["both"]}])
def test_whichever_roll_back_ends_the_execution_puts_its_parameter_back(lab: LabWorld, by: dict[str, Any]) -> None:
    names = [live(lab), live(lab)]
    execution = attach_live(lab, names)
    first = written(lab)
    lab.change(execution, plan())
    lab.roll_back(FunctionNames=names[:1])
    assert written(lab) != first
    lab.roll_back(**({"FunctionNames": names[1:]} if "FunctionNames" in by else by))
    assert written(lab) == first and lab.parameters("/faultlayer/Faultlayer/source") == []


def test_what_the_owner_wrote_to_the_parameter_since_stays_and_is_said(lab: LabWorld) -> None:
    name = live(lab)
    execution = attach_live(lab, [name])
    lab.change(execution, plan(0.2))
    write(lab, plan(0.9, expires_at=later(3)))
    # A change of what the owner wrote is put back to that.
    mine = written(lab)
    lab.change(execution, plan(0.3))
    write(lab, "theirs")
    report = lab.roll_back(ExecutionId=execution)
    assert written(lab) == "theirs" and list(report["changed"].values()) == [[f"parameter {SOURCE} changed"]]
    execution = attach_live(lab, [name])
    write(lab, mine)
    lab.change(execution, plan(0.3))
    lab.roll_back(ExecutionId=execution)
    assert written(lab) == mine


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("file:/mnt/plan.json", "write the plan to `/mnt/plan.json`"),
        ("appconfig:shop/prod/faults", "aws appconfig create-hosted-configuration-version --application-id shop "),
    ],
)
def test_a_source_that_the_automation_cannot_write_is_named_with_what_to_do(lab: LabWorld, source: str, said: str) -> None:
    name = lab.function(Layers=[lab.layer("AWS-AppConfig-Extension")])
    execution = lab.attach([name], Plan="", PlanSource=source)
    with pytest.raises(NotChanged, match=f"nothing was changed; the plan is at `{source}`: .*{said}"):
        lab.change(execution, plan())


def test_a_secret_plan_is_not_written_anew(lab: LabWorld) -> None:
    name = live(lab)
    lab.ssm.put_parameter(Name=SOURCE, Value=plan(expires_at=later(30)), Type="SecureString")
    execution = lab.attach([name], Plan="", PlanSource=f"parameter:{SOURCE}")
    with pytest.raises(NotChanged, match="is a SecureString"):
        lab.change(execution, plan())


def test_a_note_that_names_another_parameter_moves_nothing(lab: LabWorld) -> None:
    name = live(lab)
    execution = attach_live(lab, [name])
    lab.change(execution, plan())
    note = "/faultlayer/Faultlayer/source/"
    other = lab.attach([lab.function()])
    lab.ssm.put_parameter(Name=note + other, Value=lab.ssm.get_parameter(Name=note + execution)["Parameter"]["Value"], Type="String")
    now = written(lab)
    result = lab.restore(ExecutionId=other)
    assert result["Left"] == 1 and note + other in result["Names"] and written(lab) == now
    lab.ssm.delete_parameter(Name=note + other)
    assert lab.restore(ExecutionId=other)["Left"] == 0
