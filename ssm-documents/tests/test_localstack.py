"""Attach and roll back against LocalStack's community core: revisions, four kilobytes and five layers are kept there."""

from world import World


def test_attach_and_roll_back_leaves_every_kind_of_function_as_it_was(localstack: World) -> None:
    layer = localstack.layer("own")
    names = [localstack.function(kind=kind, Layers=[layer], Tags={"team": "x"}) for kind in ("python", "node", "java", "bare")]
    before = {name: localstack.snapshot(name) for name in names}
    execution = localstack.attach(names)
    assert all(localstack.snapshot(name) != before[name] for name in names)
    report = localstack.roll_back(ExecutionId=execution)
    assert report == {"restored": 4, "unchanged": 0, "gone": [], "left": {}, "changed": {}}
    assert {name: localstack.snapshot(name) for name in names} == before
    assert localstack.parameters() == []
