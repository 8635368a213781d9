"""Attach and roll back against moto, which nobody here wrote. It knows no revisions and no updates in progress."""

from world import World


def test_attach_and_roll_back_leaves_every_kind_of_function_as_it_was(moto: World) -> None:
    layer = moto.layer("own")
    names = [moto.function(kind=kind, Layers=[layer], Tags={"team": "x"}) for kind in ("python", "node", "java", "bare")]
    before = {name: moto.snapshot(name) for name in names}
    execution = moto.attach(names)
    assert all(moto.snapshot(name) != before[name] for name in names)
    values = moto.config(names[0])["Environment"]["Variables"]
    assert values["PYTHONPATH"] == "/var/task/lib:/opt/python"
    assert values["FAULTLAYER_HANDLER"] == "app.handler"
    assert moto.config(names[0])["Handler"] == "faultlayer_layer.handler"
    assert [layer["Arn"] for layer in moto.config(names[0])["Layers"]] == [layer, moto.layers["PythonLayerX8664"]]
    report = moto.roll_back(ExecutionId=execution)
    assert report == {"restored": 4, "unchanged": 0, "gone": [], "left": {}, "changed": {}}
    assert {name: moto.snapshot(name) for name in names} == before
    assert moto.parameters() == []
