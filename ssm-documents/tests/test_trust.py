"""Nobody's text holds a roll-back up, and nobody's text lends a right: markers and records as somebody else would write them."""

import base64
import json
import time
import uuid
import zlib
from typing import Any

import pytest
from botocore.exceptions import ClientError
from faultlayer_documents import check as check_module
from faultlayer_documents.attach import NotAttached
from faultlayer_documents.aws import brief
from faultlayer_documents.check import Refused
from faultlayer_documents.confirm import NotRestored
from faultlayer_documents.marker import HANDLER, PLAN, RESTORE
from faultlayer_documents.parse import UNFOLDED_LIMIT, pack, unpack
from faultlayer_documents.store import entry_of
from labworld import LabWorld
from world import PLAN as A_PLAN

RECORD = "/faultlayer/Faultlayer/record/"
ACCOUNT = "999999999999"


def update(lab: LabWorld, name: str, **change: Any) -> None:
    lab.fn.update_function_configuration(FunctionName=name, **change)
    while lab.config(name)["LastUpdateStatus"] == "InProgress":
        time.sleep(0.01)


def values(lab: LabWorld, name: str) -> dict[str, str]:
    return dict(lab.config(name).get("Environment", {}).get("Variables", {}))


def put(lab: LabWorld, name: str, value: str) -> None:
    lab.ssm.put_parameter(Name=name, Value=value, Type="String", Overwrite=True)


def left(lab: LabWorld, **events: Any) -> dict[str, Any]:
    """The report of a roll-back that leaves something."""
    result = lab.restore(**events)
    assert result["Left"], result["Report"]
    return dict(json.loads(result["Report"]))


MARKERS = [
    "", "1", "1,not an id!,x", f"1,{uuid.UUID(int=1)}", "1,é,x", "1," + "x" * 2100 + ",l", "1," + "/" * 17 + ",l",
    f"1,{uuid.UUID(int=1)},l,python,what", f"1,{uuid.UUID(int=1)},l,t0-99999", f"1,{uuid.UUID(int=1)},l,a=live:x",
]  # fmt: skip


@pytest.mark.parametrize("text", MARKERS, ids=range(len(MARKERS)))
def test_a_marker_that_is_none_is_named_and_everything_else_restored(lab: LabWorld, text: str) -> None:
    owner = lab.function(Environment={"Variables": {RESTORE: text}})
    names = [lab.function() for _ in range(2)]
    before = {name: lab.snapshot(name) for name in [owner, *names]}
    lab.attach(names)
    report = left(lab, AllMarked=True)
    assert report["restored"] == 2 and list(report["left"]) == [owner]
    assert {name: lab.snapshot(name) for name in before} == before and lab.parameters() == []


STRAYS = {
    "too/deep/by/far": "x", f"{uuid.UUID(int=2)}/000": "x", f"{uuid.UUID(int=2)}/001": pack(5), f"{uuid.UUID(int=2)}/002": pack({"a": 1}),
    f"{uuid.UUID(int=2)}/003": pack([{"q": 1}]), f"{uuid.UUID(int=2)}/004": base64.b64encode(zlib.compress(b"[" * 100_000, 9)).decode(),
    f"{uuid.UUID(int=2)}/005": base64.b64encode(zlib.compress(b" " * 2_000_000, 9)).decode(), "x": "y",
}  # fmt: skip


def test_parameters_that_are_no_record_are_named_and_everything_else_restored(lab: LabWorld) -> None:
    names = [lab.function() for _ in range(3)]
    before = {name: lab.snapshot(name) for name in names}
    for part, value in STRAYS.items():
        put(lab, RECORD + part, value)
    execution = lab.attach(names)
    report = left(lab, FunctionNames=names[:1])
    assert report["restored"] == 1 and set(report["left"]) == {RECORD + part for part in STRAYS}
    assert lab.restore(ExecutionId=execution)["Left"] == 0
    assert {name: lab.snapshot(name) for name in names} == before
    # What has a record's name and is none goes with everything else; what has not is nobody's to delete.
    assert set(left(lab, AllMarked=True)["left"]) == {RECORD + "too/deep/by/far", RECORD + "x"}
    assert set(lab.parameters()) == {RECORD + "too/deep/by/far", RECORD + "x"}


def test_unfolding_stops_at_its_bound() -> None:
    bomb = base64.b64encode(zlib.compress(b"9" * 50 * UNFOLDED_LIMIT, 9)).decode()
    for text in (bomb[:32_000], bomb, "[" * 10, "", "é", base64.b64encode(zlib.compress(b"[" * 400_000)).decode()):
        with pytest.raises(ValueError, match=r"^cannot be read$"):
            unpack(text)


def test_a_record_by_somebody_else_changes_no_function(lab: LabWorld) -> None:
    layer = lab.layer("own")
    name = lab.function(Layers=[layer], Timeout=60, MemorySize=512)
    before = lab.snapshot(name), lab.config(name)["RevisionId"]
    execution = str(uuid.uuid4())
    entry = entry_of(execution, lab.config(name), f"1,{execution},own,python,t3-60,m128-512")
    put(lab, f"{RECORD}{execution}/000", pack([{**entry, "h": "os.system"}]))
    for events in ({"ExecutionId": execution}, {"FunctionNames": [name]}, {"AllMarked": True}):
        lab.restore(**events)
        assert (lab.snapshot(name), lab.config(name)["RevisionId"]) == before


def test_a_record_changed_by_somebody_else_does_not_name_the_handler(lab: LabWorld) -> None:
    name = lab.function()
    execution = lab.attach([name])
    update(lab, name, Environment={"Variables": {}})
    [parameter] = lab.parameters()
    [entry] = unpack(lab.ssm.get_parameter(Name=parameter)["Parameter"]["Value"])
    put(lab, parameter, pack([{**entry, "h": "os.system"}]))
    report = left(lab, ExecutionId=execution)
    assert "its record is not the one its execution wrote" in report["left"][name]
    assert lab.config(name)["Handler"] == "faultlayer_layer.handler"
    put(lab, parameter, pack([entry]))
    assert lab.restore(ExecutionId=execution)["Left"] == 0 and lab.config(name)["Handler"] == "app.handler"


def test_a_forged_marker_moves_no_alias_and_deletes_no_version(lab: LabWorld) -> None:
    execution = str(uuid.uuid4())
    marker = f"1,{execution},faultlayer-python-x86_64,python,a=live:1"
    name = lab.function()
    lab.fn.publish_version(FunctionName=name)
    update(lab, name, Environment={"Variables": {RESTORE: marker}}, Layers=[lab.layers["PythonLayerX8664"]])
    forged = lab.fn.publish_version(FunctionName=name, Description=f"Faultlayer {execution}")["Version"]
    lab.fn.create_alias(FunctionName=name, Name="live", FunctionVersion=forged)
    report = left(lab, FunctionNames=[name])
    assert "no record of its execution bears out" in report["left"][name]
    assert lab.fn.get_alias(FunctionName=name, Name="live")["FunctionVersion"] == forged
    assert [one["Version"] for one in lab.fn.list_versions_by_function(FunctionName=name)["Versions"]] == ["$LATEST", "1", forged]


def test_a_forged_marker_with_a_real_execution_does_not_fail_that_one(lab: LabWorld) -> None:
    real = lab.function()
    execution = lab.attach([real])
    forged = f"1,{execution},faultlayer-python-x86_64,python"
    other = lab.function(Handler="faultlayer_layer.handler", Environment={"Variables": {RESTORE: forged}})
    before = lab.snapshot(other)
    result = lab.restore(ExecutionId=execution)
    report = json.loads(result["Report"])
    assert result["Left"] == 0 and report["restored"] == 1 and "whose record does not name it" in report["changed"][other][0]
    assert lab.snapshot(other) == before


@pytest.mark.parametrize("everything", [False, True])
def test_a_roll_back_before_there_is_a_record_stops_the_attach_under_way(
    lab: LabWorld, monkeypatch: pytest.MonkeyPatch, everything: bool
) -> None:
    name = lab.function()
    before, put_record, attaching = lab.snapshot(name), check_module.put_record, lab.events([name])

    def meanwhile(*arguments: Any) -> str:
        lab.roll_back(**({"AllMarked": True} if everything else {"FunctionNames": [name]}))
        return put_record(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(check_module, "put_record", meanwhile)
        lab.check(attaching)
    with pytest.raises(NotAttached, match="a roll-back of this execution has begun"):
        lab.claim(attaching["Execution"])
    assert lab.snapshot(name) == before
    # One that begins afterwards is not meant.
    lab.roll_back(ExecutionId=lab.attach([name]))


def test_a_stack_restores_what_its_own_layers_are_on(lab: LabWorld) -> None:
    ours, theirs = lab.function(), lab.function()
    before = {name: lab.snapshot(name) for name in (ours, theirs)}
    lab.attach([ours])
    other = lab.layer("other-python-x86_64", CompatibleArchitectures=["x86_64"])
    lab.attach([theirs], PythonLayerX8664=other)
    lab.ssm.delete_parameters(Names=lab.parameters())
    attached = lab.snapshot(theirs)
    assert lab.roll_back(AllMarked=True)["restored"] == 1
    assert lab.snapshot(ours) == before[ours] and lab.snapshot(theirs) == attached
    assert "none of this stack's" in left(lab, FunctionNames=[theirs])["left"][theirs]
    assert lab.roll_back(FunctionNames=[theirs], PythonLayerX8664=other)["restored"] == 1
    assert lab.snapshot(theirs) == before[theirs]


def test_a_stack_keeps_its_parameters_below_its_own_path_and_can_delete_its_marks(lab: LabWorld) -> None:
    name = lab.function()
    lab.roll_back(ExecutionId=lab.attach([name]))
    lab.restore(ExecutionId=str(uuid.uuid4()), Stack="other")
    assert len(lab.parameters("/faultlayer/other")) == 1 and len(lab.parameters("/faultlayer/Faultlayer")) == 1
    assert lab.restore(AllMarked=True, DeleteMarks=True)["Left"] == 0
    assert lab.parameters("/faultlayer/Faultlayer") == [] and len(lab.parameters("/faultlayer/other")) == 1


def test_a_plan_for_one_execution_is_gone_once_it_was_read(lab: LabWorld) -> None:
    put(lab, "/faultlayer/Faultlayer/once/p", A_PLAN)
    execution = lab.attach([lab.function()], Plan="parameter:/faultlayer/Faultlayer/once/p")
    assert lab.parameters("/faultlayer/Faultlayer/once") == []
    lab.roll_back(ExecutionId=execution)


ARNS = [
    "arn:aws:lambda:{region}:999999999999:function:{name}", "999999999999:function:{name}",
    "arn:aws-cn:lambda:{region}:{account}:function:{name}",
]  # fmt: skip


@pytest.mark.parametrize("arn", ARNS)
def test_an_arn_of_elsewhere_does_not_mean_the_own_function_of_that_name(lab: LabWorld, arn: str) -> None:
    name = lab.function()
    _, _, _, region, account, *_ = lab.config(name)["FunctionArn"].split(":")
    given = arn.format(region=region, account=account, name=name)
    with pytest.raises(Refused, match="this execution in"):
        lab.check(lab.events([given]))
    lab.attach([name])
    attached = lab.snapshot(name)
    with pytest.raises(NotRestored, match=r"nothing was changed; .*this execution in"):
        lab.restore(FunctionNames=[given])
    assert lab.snapshot(name) == attached
    assert lab.roll_back(FunctionNames=[f"{account}:function:{name}", lab.config(name)["FunctionArn"]])["restored"] == 1


SECRETS = [
    '{"version": 1, "experiment": "hunter2", "faults": [{"id": "hunter2", "kind": "hunter2", "rate": 777777}]}',
    '{"version": 1, "experiment": "t", "expires_at": "hunter2", "faults": []}', '{"hunter2"', '["hunter2"]',
    A_PLAN[:-1] + ', "expires_at": "2020-01-01T00:00:00Z"}',
]  # fmt: skip


@pytest.mark.parametrize("plan", SECRETS, ids=range(len(SECRETS)))
def test_a_refusal_shows_no_value_of_a_secret_plan(lab: LabWorld, capsys: pytest.CaptureFixture[str], plan: str) -> None:
    lab.ssm.put_parameter(Name="/secret/plan", Value=plan, Type="SecureString")
    with pytest.raises(Refused, match="the plan is a secret") as refused:
        lab.check(lab.events([lab.function()], Plan="parameter:/secret/plan"))
    for text in (str(refused.value), capsys.readouterr().out):
        assert not any(value in text for value in ("hunter2", "777777", "2020-01"))


def test_no_message_repeats_a_variable(lab: LabWorld) -> None:
    with pytest.raises(Refused) as refused:
        lab.check(lab.events([lab.function(Environment={"Variables": {RESTORE: "1,hunter2,x", HANDLER: "hunter2", PLAN: "hunter2"}})]))
    assert "hunter2" not in str(refused.value)
    for message in (
        "Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the "
        'limit. String measured: {"A":"hunter2"}',
        "1 validation error detected: Value '{A=hunter2}' at 'environment.variables' failed",
    ):
        error = ClientError({"Error": {"Code": "InvalidParameterValueException", "Message": message}}, "op")
        assert "hunter2" not in brief(error) and "InvalidParameterValueException" in brief(error)
