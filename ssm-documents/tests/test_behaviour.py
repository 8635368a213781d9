"""Attach and roll back where something else happens meanwhile: owners, other experiments, what is deleted."""

import json
import threading
import time
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError
from faultlayer_documents import attach as attach_module
from faultlayer_documents import store
from faultlayer_documents import writes as writes_module
from faultlayer_documents.attach import NotAttached
from faultlayer_documents.check import Refused
from faultlayer_documents.confirm import NotRestored
from faultlayer_documents.parse import unpack
from faultlayer_documents.restore import restore
from labworld import LabWorld


def update(lab: LabWorld, name: str, **change: Any) -> None:
    lab.fn.update_function_configuration(FunctionName=name, **change)
    while lab.config(name)["LastUpdateStatus"] == "InProgress":
        time.sleep(0.01)


def values(lab: LabWorld, name: str) -> dict[str, str]:
    return dict(lab.config(name).get("Environment", {}).get("Variables", {}))


def test_a_second_experiment_on_a_function_is_refused_and_the_first_restores_it(lab: LabWorld) -> None:
    name = lab.function()
    before = lab.snapshot(name)
    first, second = lab.events([name]), lab.events([name])
    # Both pass the check before either attaches: the claim decides.
    lab.check(first)
    lab.check(second)
    lab.claim(first["Execution"])
    attached = lab.snapshot(name)
    with pytest.raises(NotAttached, match=f"is attached already, by execution `{first['Execution']}`"):
        lab.claim(second["Execution"])
    assert lab.roll_back(ExecutionId=second["Execution"])["restored"] == 0
    assert lab.snapshot(name) == attached
    assert lab.roll_back(ExecutionId=first["Execution"])["restored"] == 1
    assert lab.snapshot(name) == before and lab.parameters() == []


def test_two_experiments_that_attach_at_the_same_moment(lab: LabWorld) -> None:
    names = [lab.function() for _ in range(6)]
    before = {name: lab.snapshot(name) for name in names}
    events = [lab.events(names), lab.events(names)]
    for one in events:
        lab.check(one)
    outcomes: dict[int, Any] = {}

    def run(at: int) -> None:
        try:
            outcomes[at] = lab.claim(events[at]["Execution"])
        except NotAttached as error:
            outcomes[at] = error

    threads = [threading.Thread(target=run, args=(at,)) for at in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    owners = {values(lab, name).get("FAULTLAYER_RESTORE", "-,-").split(",")[1] for name in names} - {"-"}
    assert sum(isinstance(outcome, dict) for outcome in outcomes.values()) <= 1 and owners
    for one in events:
        lab.roll_back(ExecutionId=one["Execution"])
    assert {name: lab.snapshot(name) for name in names} == before


def test_what_an_owner_changes_in_mid_experiment_is_kept_and_reported(lab: LabWorld) -> None:
    own, new = lab.layer("own"), lab.layer("new")
    name = lab.function(Layers=[own])
    execution = lab.attach([name])
    now = values(lab, name)
    update(
        lab, name, Timeout=33, Description="owner's",
        Layers=[new, lab.layers["PythonLayerX8664"]],
        Environment={"Variables": {**{k: v for k, v in now.items() if k != "MODE"}, "ADDED": "1", "PYTHONPATH": "/x:" + now["PYTHONPATH"]}},
    )  # fmt: skip
    report = lab.roll_back(ExecutionId=execution)
    config = lab.config(name)
    assert config["Timeout"] == 33 and config["Handler"] == "app.handler"
    assert [layer["Arn"] for layer in config["Layers"]] == [new]
    assert values(lab, name) == {"PYTHONPATH": "/x:/var/task/lib", "EMPTY": "", "ADDED": "1"}
    assert sorted(report["changed"][name]) == sorted(
        [
            "variable MODE removed", "variable ADDED added", "variable PYTHONPATH changed",
            f"layer {new} added", f"layer {own} removed", "field Timeout", "field Description",
        ]
    )  # fmt: skip


def test_a_deployment_that_replaces_all_variables_is_restored_from_the_record(lab: LabWorld) -> None:
    name = lab.function()
    execution = lab.attach([name])
    update(lab, name, Environment={"Variables": {"FRESH": "1"}})
    report = lab.roll_back(ExecutionId=execution)
    assert lab.config(name)["Handler"] == "app.handler" and values(lab, name) == {"FRESH": "1"}
    assert lab.config(name).get("Layers", []) == [] and report["restored"] == 1
    assert "variable FRESH added" in report["changed"][name]


def test_a_deployment_that_puts_everything_back_is_left_alone(lab: LabWorld) -> None:
    name = lab.function()
    before = lab.snapshot(name)
    execution = lab.attach([name])
    update(lab, name, Handler="app.handler", Layers=[], Environment=before["Environment"])
    assert lab.roll_back(ExecutionId=execution) == {"restored": 0, "unchanged": 1, "gone": [], "left": {}, "changed": {}}
    assert lab.snapshot(name) == before


def test_without_its_record_everything_is_found_by_the_markers(lab: LabWorld) -> None:
    names = [lab.function(kind=kind) for kind in ("python", "node", "java")]
    before = {name: lab.snapshot(name) for name in names}
    execution = lab.attach(names, TimeoutSeconds=20, MemoryMiB=256)
    assert lab.config(names[0])["Timeout"] == 20 and lab.config(names[0])["MemorySize"] == 256
    lab.ssm.delete_parameters(Names=lab.parameters())
    assert lab.roll_back(ExecutionId=execution)["restored"] == 3
    assert {name: lab.snapshot(name) for name in names} == before


def test_a_record_that_somebody_overwrote_does_not_stop_the_roll_back(lab: LabWorld) -> None:
    name = lab.function()
    before = lab.snapshot(name)
    execution = lab.attach([name])
    for parameter in lab.parameters():
        lab.ssm.put_parameter(Name=parameter, Value="what is this", Overwrite=True)
    assert lab.roll_back(ExecutionId=execution)["restored"] == 1
    assert lab.snapshot(name) == before and lab.parameters() == []


def test_a_function_that_is_deleted_meanwhile_is_named_and_stops_nothing(lab: LabWorld) -> None:
    gone, stays = lab.function(), lab.function()
    before = lab.snapshot(stays)
    execution = lab.attach([gone, stays])
    lab.fn.delete_function(FunctionName=gone)
    report = lab.roll_back(ExecutionId=execution)
    assert report["gone"] == [gone] and report["restored"] == 1
    assert lab.snapshot(stays) == before and lab.parameters() == []


def test_a_function_deleted_between_check_and_attach_fails_the_attach_and_all_comes_off(lab: LabWorld) -> None:
    gone, stays = lab.function(), lab.function()
    before = lab.snapshot(stays)
    events = lab.events([gone, stays])
    lab.check(events)
    lab.fn.delete_function(FunctionName=gone)
    with pytest.raises(NotAttached, match=f"`{gone}`: ResourceNotFoundException"):
        lab.claim(events["Execution"])
    assert lab.roll_back(ExecutionId=events["Execution"])["gone"] == [gone]
    assert lab.snapshot(stays) == before


class Somebody(threading.Thread):
    """Updates a function again and again, as a deployment gone wild would."""

    def __init__(self, lab: LabWorld, name: str, every_s: float) -> None:
        super().__init__()
        self.lab, self.name_, self.every_s, self.ended, self.count = lab, name, every_s, threading.Event(), 0

    def run(self) -> None:
        while not self.ended.wait(self.every_s):
            try:
                self.lab.fn.update_function_configuration(FunctionName=self.name_, Description=f"deployment {self.count}")
                self.count += 1
            except ClientError as error:
                assert error.response["Error"]["Code"] == "ResourceConflictException"

    def end(self) -> None:
        self.ended.set()
        self.join()


def test_a_function_that_somebody_updates_every_second(lab: LabWorld) -> None:
    lab.lab.post("/settings", {"update_ms": 300})
    name = lab.function()
    before = lab.snapshot(name)
    somebody = Somebody(lab, name, 1.0)
    somebody.start()
    try:
        execution = lab.attach([name])
        assert lab.config(name)["Handler"] == "faultlayer_layer.handler"
        before_it = somebody.count
        while somebody.count == before_it:
            assert somebody.is_alive()
            time.sleep(0.05)
        report = lab.roll_back(ExecutionId=execution)
    finally:
        somebody.end()
    while lab.config(name)["LastUpdateStatus"] == "InProgress":
        time.sleep(0.05)
    assert report["changed"] == {name: ["field Description"]}
    assert {**lab.snapshot(name), "Description": ""} == {**before, "Description": ""}


def test_a_function_that_is_never_left_alone_is_named_and_not_attached(lab: LabWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody's update comes between every read and write; attach says so within its patience."""
    for module in (attach_module, writes_module):
        monkeypatch.setattr(module, "CLAIM_PATIENCE_S", 2.0)
    name = lab.function()
    closed = writes_module.is_closed

    def meanwhile(*arguments: Any) -> bool:
        update(lab, name, Description=str(uuid.uuid4()))
        return closed(*arguments)

    monkeypatch.setattr(writes_module, "is_closed", meanwhile)
    events = lab.events([name])
    lab.check(events)
    with pytest.raises(NotAttached, match="somebody else kept updating it for 2 s"):
        lab.claim(events["Execution"])
    assert lab.roll_back(ExecutionId=events["Execution"])["restored"] == 0
    assert lab.config(name)["Handler"] == "app.handler"


def test_roll_back_by_name_alone_and_what_is_left_of_its_execution(lab: LabWorld) -> None:
    names = [lab.function() for _ in range(3)]
    before = {name: lab.snapshot(name) for name in names}
    execution = lab.attach(names)
    assert lab.roll_back(FunctionNames=[names[0]])["restored"] == 1
    assert lab.snapshot(names[0]) == before[names[0]]
    assert values(lab, names[1])["FAULTLAYER_RESTORE"] and lab.parameters()
    assert lab.roll_back(FunctionNames=[lab.config(names[1])["FunctionArn"], names[2]])["restored"] == 2
    assert {name: lab.snapshot(name) for name in names} == before
    # The last of them takes the record with it, and the execution has nothing left.
    assert lab.parameters() == []
    assert lab.roll_back(ExecutionId=execution)["restored"] == 0


def test_roll_back_of_everything_that_is_marked(lab: LabWorld) -> None:
    names = [lab.function(kind=kind) for kind in ("python", "node")]
    untouched = lab.function()
    before = {name: lab.snapshot(name) for name in [*names, untouched]}
    revision = lab.config(untouched)["RevisionId"]
    for name in names:
        lab.attach([name])
    assert lab.roll_back(AllMarked=True)["restored"] == 2
    assert {name: lab.snapshot(name) for name in before} == before
    assert lab.config(untouched)["RevisionId"] == revision and lab.parameters() == []


def test_rolling_back_twice_or_what_never_was_changes_nothing(lab: LabWorld) -> None:
    name = lab.function()
    execution = lab.attach([name])
    lab.roll_back(ExecutionId=execution)
    revision = lab.config(name)["RevisionId"]
    nothing = {"restored": 0, "unchanged": 0, "gone": [], "left": {}, "changed": {}}
    assert lab.roll_back(ExecutionId=execution) == nothing
    assert lab.roll_back(FunctionNames=[name]) == {**nothing, "unchanged": 1}
    with pytest.raises(NotRestored, match=r"not restored: 1 function: nobody.*does not exist"):
        lab.roll_back(FunctionNames=["nobody"])
    assert lab.config(name)["RevisionId"] == revision


@pytest.mark.parametrize("events", [{}, {"FunctionNames": ["a"], "AllMarked": "true"}, {"FunctionNames": ["a:b"]}])
def test_roll_back_wants_one_selection(lab: LabWorld, events: dict[str, Any]) -> None:
    with pytest.raises(NotRestored):
        restore(events, None)


def test_once_closed_nothing_is_attached_any_more_and_every_revision_has_moved(lab: LabWorld) -> None:
    names = [lab.function() for _ in range(2)]
    before = {name: (lab.snapshot(name), lab.config(name)["RevisionId"]) for name in names}
    events = lab.events(names)
    lab.check(events)
    assert lab.roll_back(ExecutionId=events["Execution"]) == {"restored": 0, "unchanged": 2, "gone": [], "left": {}, "changed": {}}
    for name in names:
        assert lab.snapshot(name) == before[name][0] and lab.config(name)["RevisionId"] != before[name][1]
    with pytest.raises(NotAttached, match="a roll-back of this execution has begun"):
        lab.claim(events["Execution"])
    assert [lab.snapshot(name) for name in names] == [before[name][0] for name in names]


def alias(lab: LabWorld, name: str) -> dict[str, Any]:
    found = lab.fn.get_alias(FunctionName=name, Name="live")
    return {"version": found["FunctionVersion"], "weights": found.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})}


def aliased(lab: LabWorld, kind: str = "python") -> str:
    """A function with two versions; its alias sends a tenth of the calls to the older one."""
    name = lab.function(kind=kind)
    lab.fn.publish_version(FunctionName=name)
    update(lab, name, Timeout=6)
    lab.fn.publish_version(FunctionName=name)
    lab.fn.create_alias(FunctionName=name, Name="live", FunctionVersion="2", RoutingConfig={"AdditionalVersionWeights": {"1": 0.1}})
    return name


def test_an_alias_is_pointed_at_what_is_attached_and_back_with_its_weights(lab: LabWorld) -> None:
    name = aliased(lab)
    before = lab.snapshot(name)
    execution = lab.attach([name], Alias="live")
    now = alias(lab, name)
    assert now == {"version": "3", "weights": {}}
    version = lab.fn.get_function_configuration(FunctionName=name, Qualifier="live")
    assert version["Handler"] == "faultlayer_layer.handler" and version["Description"] == f"Faultlayer {execution}"
    report = lab.roll_back(ExecutionId=execution)
    assert report["restored"] == 1 and report["changed"] == {}
    assert lab.snapshot(name) == before and alias(lab, name) == {"version": "2", "weights": {"1": 0.1}}


def test_an_alias_its_owner_moved_stays_where_it_is(lab: LabWorld) -> None:
    name = aliased(lab)
    execution = lab.attach([name], Alias="live")
    lab.fn.update_alias(FunctionName=name, Name="live", FunctionVersion="1", RoutingConfig={"AdditionalVersionWeights": {"3": 0.5}})
    report = lab.roll_back(ExecutionId=execution)
    assert alias(lab, name) == {"version": "1", "weights": {}}
    assert report["changed"][name] == ["alias live"]
    versions = [version["Version"] for version in lab.fn.list_versions_by_function(FunctionName=name)["Versions"]]
    assert versions == ["$LATEST", "1", "2"]


def test_a_version_that_another_alias_uses_is_named_and_the_rest_restored(lab: LabWorld) -> None:
    name = aliased(lab)
    execution = lab.attach([name], Alias="live")
    lab.fn.create_alias(FunctionName=name, Name="theirs", FunctionVersion="3")
    with pytest.raises(NotRestored, match=name):
        lab.roll_back(ExecutionId=execution)
    assert lab.config(name)["Handler"] == "app.handler" and alias(lab, name)["version"] == "2"
    lab.fn.delete_alias(FunctionName=name, Name="theirs")
    lab.roll_back(ExecutionId=execution)
    versions = [version["Version"] for version in lab.fn.list_versions_by_function(FunctionName=name)["Versions"]]
    assert versions == ["$LATEST", "1", "2"] and lab.parameters() == []


def test_what_cannot_be_restored_is_named_and_the_others_are(lab: LabWorld) -> None:
    stuck, fine = lab.function(), lab.function()
    before = {name: lab.snapshot(name) for name in (stuck, fine)}
    execution = lab.attach([stuck, fine])
    lab.lab.post(f"/functions/{stuck}", {"environment_error": True})
    with pytest.raises(NotRestored, match=f"not restored: 1 function: {stuck}") as error:
        lab.roll_back(ExecutionId=execution)
    assert "its variables cannot be read" in str(error.value)
    assert lab.snapshot(fine) == before[fine] and lab.parameters()
    lab.lab.post(f"/functions/{stuck}", {"environment_error": False})
    lab.roll_back(ExecutionId=execution)
    assert lab.snapshot(stuck) == before[stuck] and lab.parameters() == []


def test_a_layer_deleted_meanwhile_leaves_the_faults_off_and_is_finished_later(lab: LabWorld) -> None:
    own = lab.layer("doomed")
    name = lab.function(Layers=[own])
    execution = lab.attach([name])
    lab.fn.delete_layer_version(LayerName="doomed", VersionNumber=int(own.split(":")[-1]))
    with pytest.raises(NotRestored, match="faults are off, but its list of layers cannot be written"):
        lab.roll_back(ExecutionId=execution)
    assert lab.config(name)["Handler"] == "app.handler" and "FAULTLAYER_PLAN" not in values(lab, name)
    update(lab, name, Layers=[lab.layers["PythonLayerX8664"]])
    report = lab.roll_back(FunctionNames=[name])
    assert lab.config(name).get("Layers", []) == [] and "FAULTLAYER_RESTORE" not in values(lab, name)
    assert report["restored"] == 1


def test_a_dry_run_is_attached_as_one(lab: LabWorld) -> None:
    name = lab.function()
    execution = lab.attach([name], DryRun="true")
    assert json.loads(values(lab, name)["FAULTLAYER_PLAN"])["dry_run"] is True
    lab.roll_back(ExecutionId=execution)


def test_the_record_holds_names_and_hashes_but_no_value(lab: LabWorld) -> None:
    names = [lab.function(Environment={"Variables": {"SECRET": "hunter2-hunter2", "PYTHONPATH": "/x"}}) for _ in range(45)]
    execution = lab.attach(names)
    records = [lab.ssm.get_parameter(Name=name)["Parameter"]["Value"] for name in lab.parameters()]
    assert len(records) == 3 and all(len(record) <= 4096 for record in records)
    text = json.dumps([unpack(record) for record in records])
    assert "SECRET" in text and "hunter2" not in text and all(name in text for name in names)
    assert lab.roll_back(ExecutionId=execution)["restored"] == 45


def test_marks_of_yesterday_are_swept_and_those_of_today_stay(lab: LabWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    name = lab.function()
    lab.roll_back(ExecutionId=lab.attach([name]))
    assert len(lab.parameters("/faultlayer/Faultlayer/closed")) == 1
    monkeypatch.setattr(store, "DAY_S", -60)
    lab.roll_back(ExecutionId=str(uuid.uuid4()))
    assert lab.parameters("/faultlayer/Faultlayer/closed") == []


def test_a_big_environment_fits_the_record_with_one_hash_for_all(lab: LabWorld) -> None:
    variables = {f"V{uuid.uuid4().hex}": "" for _ in range(85)}
    name = lab.function(kind="bare", Environment={"Variables": variables})
    try:
        execution = lab.attach([name])
    except Refused as error:
        assert "the most is 4096" in str(error)
        return
    update(lab, name, Environment={"Variables": {k: v for k, v in values(lab, name).items() if k not in list(variables)[:1]}})
    assert lab.roll_back(ExecutionId=execution)["changed"] in (
        {name: ["variables changed"]},
        {name: [f"variable {next(iter(variables))} removed"]},
    )
