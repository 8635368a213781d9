"""Everything that is refused before any change: each reason on a real function, and all of them together."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from faultlayer_documents import aws as aws_module
from faultlayer_documents import refuse
from faultlayer_documents.check import Refused
from faultlayer_documents.marker import RESTORE
from faultlayer_documents.refuse import claim_reasons, estimate, longest_step, runtime_reasons
from labworld import LabWorld
from world import PLAN


def refused(lab: LabWorld, names: list[str], **more: Any) -> str:
    """Why the check refuses; asserts that nothing was changed."""
    before = {name: lab.config(name)["RevisionId"] for name in names if "nobody" not in name and ":" not in name}
    with pytest.raises(Refused) as error:
        lab.check(lab.events(names, **more))
    assert {name: lab.config(name)["RevisionId"] for name in before} == before
    assert lab.parameters() == []
    return str(error.value)


@pytest.mark.parametrize(
    ("runtime", "free"),
    [
        *[(f"python3.{minor}", minor >= 10) for minor in (8, 9, 10, 11, 12, 13, 14)],
        *[(f"nodejs{major}.x", major >= 18) for major in (14, 16, 18, 20, 22, 24)],
        ("java8", False), ("java8.al2", False), ("java8.al2023", False),
        ("java11", True), ("java17.al2023", True), ("java21", True), ("java25", True),
        ("provided.al2023", False), ("dotnet8", False), ("ruby3.4", False), ("go1.x", False), ("nodejs", False),
    ],
)  # fmt: skip
def test_runtimes(runtime: str, free: bool) -> None:
    reasons = runtime_reasons({"Runtime": runtime})
    assert (reasons == []) == free
    assert free or f"`{runtime}`" in reasons[0]


def test_an_image_takes_no_layers() -> None:
    assert runtime_reasons({"PackageType": "Image"}) == ["is a container image, which takes no layers"]


def test_a_function_with_our_handler_or_agent_but_no_marker_is_not_free() -> None:
    assert "without a marker" in claim_reasons({"Handler": "faultlayer_layer.handler"})[0]
    options = {"JAVA_TOOL_OPTIONS": "-javaagent:/opt/faultlayer/faultlayer-agent.jar"}
    assert "without a marker" in claim_reasons({"Environment": {"Variables": options}})[0]
    assert "something else" in claim_reasons({"Environment": {"Variables": {RESTORE: "mine"}}})[0]


def own_variables(lab: LabWorld) -> str:
    return lab.function(Environment={"Variables": {"FAULTLAYER_PLAN": "{}", "FAULTLAYER_HANDLER": "x"}})


def five_layers(lab: LabWorld) -> str:
    return lab.function(Layers=[lab.layer(f"l{at}") for at in range(5)])


def full_environment(lab: LabWorld) -> str:
    return lab.function(Environment={"Variables": {"LONG": "x" * 3900}})


def deleted_layer(lab: LabWorld) -> str:
    arn = lab.layer("old")
    name = lab.function(Layers=[arn])
    lab.fn.delete_layer_version(LayerName="old", VersionNumber=int(arn.split(":")[-1]))
    return name


def our_layer(lab: LabWorld) -> str:
    return lab.function(Layers=[lab.layers["PythonLayerX8664"]])


def arm(lab: LabWorld) -> str:
    return lab.function(Architectures=["arm64"])


def unreadable(lab: LabWorld) -> str:
    name = lab.function()
    lab.lab.post(f"/functions/{name}", {"environment_error": True})
    return name


def failed(lab: LabWorld) -> str:
    name = lab.function()
    lab.lab.post(f"/functions/{name}", {"fail_update": True})
    lab.fn.update_function_configuration(FunctionName=name, Timeout=9)
    while lab.config(name)["LastUpdateStatus"] == "InProgress":
        pass
    return name


def signed_by_others(lab: LabWorld) -> str:
    name = lab.function()
    profile = "arn:aws:signer:us-east-1:123456789012:/signing-profiles/theirs/abcdefghij"
    config = lab.fn.create_code_signing_config(
        AllowedPublishers={"SigningProfileVersionArns": [profile]}, CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Enforce"}
    )["CodeSigningConfig"]["CodeSigningConfigArn"]
    lab.fn.put_function_code_signing_config(FunctionName=name, CodeSigningConfigArn=config)
    return name


def provisioned(lab: LabWorld) -> str:
    name = lab.function()
    version = lab.fn.publish_version(FunctionName=name)["Version"]
    lab.fn.put_provisioned_concurrency_config(FunctionName=name, Qualifier=version, ProvisionedConcurrentExecutions=1)
    return name


def snap_start(lab: LabWorld) -> str:
    name = lab.function(SnapStart={"ApplyOn": "PublishedVersions"})
    lab.fn.publish_version(FunctionName=name)
    return name


def durable(lab: LabWorld) -> str:
    name = lab.function(DurableConfig={"ExecutionTimeout": 60, "RetentionPeriodInDays": 1})
    lab.fn.publish_version(FunctionName=name)
    return name


REASONS: list[tuple[Callable[[LabWorld], str], str]] = [
    (own_variables, "has variables of its own named `FAULTLAYER_PLAN`, `FAULTLAYER_HANDLER`"),
    (five_layers, "has 5 layers, the most there can be"),
    (full_environment, "bytes together, the most is 4096"),
    (deleted_layer, "no longer exists: Lambda refuses every update that lists it"),
    (our_layer, "already, without a marker"),
    (arm, "no layer is given for python on arm64"),
    (unreadable, "its variables cannot be read ("),
    (failed, "its last update failed ("),
    (signed_by_others, "enforces signers that did not sign"),
    (provisioned, "has provisioned concurrency on a published version: give `Alias`"),
    (snap_start, "has SnapStart on a published version: give `Alias`"),
    (durable, "has durable execution on a published version: give `Alias`"),
]


@pytest.mark.parametrize(("make", "reason"), REASONS, ids=[make.__name__ for make, _ in REASONS])
def test_a_reason(lab: LabWorld, make: Callable[[LabWorld], str], reason: str) -> None:
    name = make(lab)
    text = refused(lab, [name])
    assert f"`{name}`: " in text and reason in text
    assert "; 1 reason: " in text


def test_all_functions_and_all_reasons_come_together(lab: LabWorld) -> None:
    names = [lab.function(), own_variables(lab), five_layers(lab), deleted_layer(lab), arm(lab), "nobody"]
    text = refused(lab, names, Plan=json.dumps({**json.loads(PLAN), "version": 3}))
    assert "version: expected integer 1 to 1, got `3`" in text and "`nobody`: does not exist" in text
    assert all(f"`{name}`: " in text for name in names[1:]) and f"`{names[0]}`: " not in text
    both = lab.function(
        Layers=[lab.layer(f"m{at}") for at in range(5)], Environment={"Variables": {"FAULTLAYER_PLAN": "x", "LONG": "x" * 3800}}
    )
    text = refused(lab, [both])
    assert "; 3 reasons: " in text, text


def test_an_update_that_stays_in_progress(lab: LabWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws_module, "SETTLE_S", 1.0)
    name = lab.function()
    lab.lab.post(f"/functions/{name}", {"hold_update": True})
    lab.fn.update_function_configuration(FunctionName=name, Timeout=9)
    assert "an update of it is still in progress after 60 s" in refused(lab, [name])
    lab.lab.post(f"/functions/{name}", {"hold_update": False})
    lab.check(lab.events([name]))


def test_attached_already(lab: LabWorld) -> None:
    name = lab.function()
    execution = lab.attach([name])
    with pytest.raises(Refused, match=f"is attached already, by execution `{execution}`"):
        lab.check(lab.events([name]))
    lab.roll_back(ExecutionId=execution)


def test_a_layer_that_is_not_there_or_of_the_wrong_architecture(lab: LabWorld) -> None:
    name = lab.function()
    assert "no longer exists" in refused(lab, [name], PythonLayerX8664=lab.layers["PythonLayerX8664"][:-1] + "99")
    wrong = lab.layer("wrong", CompatibleArchitectures=["arm64"])
    assert "is not made for x86_64" in refused(lab, [name], PythonLayerX8664=wrong)


def test_a_layer_signed_by_an_allowed_profile_passes() -> None:
    """The lab signs no layers; what is compared is told from the answers alone."""

    class Answers:
        def fn(self, operation: str, **_: Any) -> dict[str, Any]:
            return {
                "get_function_code_signing_config": {"CodeSigningConfigArn": "csc"},
                "get_code_signing_config": {
                    "CodeSigningConfig": {
                        "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": "Enforce"},
                        "AllowedPublishers": {"SigningProfileVersionArns": ["p"]},
                    }
                },
                "get_layer_version": {"Content": {"SigningProfileVersionArn": "p"}},
            }[operation]

    assert refuse.Layers(Answers()).signing_reasons("f", "arn:aws:lambda:r:1:layer:l:1") == []  # type: ignore[arg-type]


def test_an_alias_must_be_there_and_be_what_latest_is(lab: LabWorld) -> None:
    name = lab.function()
    assert "has no alias `live`" in refused(lab, [name], Alias="live")
    lab.fn.publish_version(FunctionName=name)
    lab.fn.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    lab.fn.update_function_configuration(FunctionName=name, Timeout=9, Environment={"Variables": {"NEW": "1"}})
    while lab.config(name)["LastUpdateStatus"] == "InProgress":
        pass
    text = refused(lab, [name], Alias="live")
    assert "$LATEST is not what alias `live` points at (version 1): Timeout, variable EMPTY, variable MODE, variable NEW" in text


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"FunctionNames": []}, "give either `FunctionNames` or `TagKey` and `TagValue`"),
        ({"TagKey": "a", "TagValue": "b"}, "give either `FunctionNames` or `TagKey` and `TagValue`"),
        ({"FunctionNames": [], "TagKey": "a", "TagValue": "none"}, "no function has the tag `a` = `none`"),
        ({"FunctionNames": ["arn:aws:lambda:us-west-1:123456789012:function:f"]}, "is in `us-west-1`, this execution in"),
        ({"FunctionNames": ["arn:aws:lambda:us-east-1:123456789012:function:f:live"]}, "names a version or alias; give the function"),
        ({"FunctionNames": ["f:1"]}, "`f:1`: names a version or alias; give the function, and `Alias`"),
        ({"FunctionNames": ["f/1"]}, "`f/1`: expected a function's name or ARN"),
        ({"DurationMinutes": 0}, "DurationMinutes: expected 1 to 10079, got `0`"),
        ({"Plan": "parameter:/not/there"}, "Plan: no parameter `/not/there`"),
        (
            {"Plan": PLAN.replace('"rate": 0.5', '"rate": 50')},
            "faults[0].rate: expected number 0 to 1 | object rate (50 percent is 0.5), got `50`",
        ),
        ({"Plan": PLAN[:-1] + ', "expires_at": "2020-01-01T00:00:00Z"}'}, "comes before the end of the hold"),
    ],
)
def test_what_is_asked_for_must_make_sense(lab: LabWorld, more: dict[str, Any], reason: str) -> None:
    name = lab.function()
    assert reason in refused(lab, [name], **more)


def test_too_many_functions_for_one_step_are_refused_before_they_are_read(lab: LabWorld) -> None:
    # None of them is there.
    assert "1482 functions need a step of about 481 s" in refused(lab, [f"nobody-{at}" for at in range(1_482)])


@pytest.mark.parametrize(("alias", "most"), [(False, 1_481), (True, 571)])
def test_what_one_execution_takes_is_done_within_its_steps(alias: bool, most: int) -> None:
    # One step checks and attaches, within the 600 s that Automation gives a script.
    checking, attaching, _ = estimate(most, alias)
    assert checking + attaching <= longest_step(most, alias) <= refuse.STEP_LIMIT_S < 600
    assert longest_step(most + 1, alias) > refuse.STEP_LIMIT_S


def test_functions_are_found_by_tag(lab: LabWorld) -> None:
    for value in ("yes", "no", "yes", "yes"):
        lab.function(Tags={"chaos": value})
    events = lab.events([], TagKey="chaos", TagValue="yes")
    assert lab.check(events)["Functions"] == 3
    lab.roll_back(ExecutionId=events["Execution"])


def test_a_plan_in_a_parameter_is_read_by_the_automation(lab: LabWorld) -> None:
    lab.ssm.put_parameter(Name="/plans/one", Type="String", Value=PLAN)
    name = lab.function()
    execution = lab.attach([name], Plan="parameter:/plans/one")
    plan = json.loads(lab.config(name)["Environment"]["Variables"]["FAULTLAYER_PLAN"])
    assert plan["faults"] == json.loads(PLAN)["faults"] and plan["starts_at"] < plan["expires_at"]
    lab.roll_back(ExecutionId=execution)
