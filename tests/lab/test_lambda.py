"""Lambda's control plane: what it refuses, in AWS's words, and what it changes."""

from __future__ import annotations

import functools
import json
import threading
from typing import Any

import pytest

from client import Lab, archive, refused


def update(lab: Lab, **given: Any) -> Any:
    return lab.functions.update_function_configuration(FunctionName="one", **given)


def test_a_function_begins_pending_and_becomes_active_under_a_new_revision(lab: Lab) -> None:
    lab.settings(update_ms=60_000)
    code = {"ZipFile": archive(app="")}
    made = lab.functions.create_function(
        FunctionName="one", Runtime="python3.12", Handler="app.handler", Role="arn:aws:iam::123456789012:role/r", Code=code
    )
    assert (made["State"], made["LastUpdateStatus"]) == ("Pending", "InProgress")
    assert refused(lambda: lab.functions.invoke(FunctionName="one"))[:2] == ("ResourceConflictException", 409)
    lab.ask("POST", "/reset")
    lab.settings(update_ms=0)
    config = lab.function()
    assert (config["State"], config["LastUpdateStatus"]) == ("Active", "Successful")


def test_revision_changes_with_the_update_and_again_when_it_is_done(lab: Lab) -> None:
    first = lab.function()["RevisionId"]
    lab.ask("POST", "/functions/one", {"hold_update": True})
    second = update(lab, Timeout=4, RevisionId=first)
    assert second["LastUpdateStatus"] == "InProgress"
    assert second["RevisionId"] != first
    lab.ask("POST", "/functions/one", {"hold_update": False})
    third = lab.settled()["RevisionId"]
    assert third not in (first, second["RevisionId"])
    code, status, message = refused(lambda: update(lab, Timeout=5, RevisionId=second["RevisionId"]))
    assert (code, status) == ("PreconditionFailedException", 412)
    assert message.startswith("The Revision Id provided does not match the latest Revision Id.")
    assert lab.settled()["Timeout"] == 4


def test_an_update_in_progress_refuses_the_next_and_what_hangs_on_it(lab: Lab) -> None:
    arn = lab.function()["FunctionArn"]
    lab.ask("POST", "/functions/one", {"hold_update": True})
    update(lab, Timeout=4)
    works = [
        lambda: update(lab, Timeout=5),
        lambda: lab.functions.update_function_code(FunctionName="one", ZipFile=archive(app="")),
        lambda: lab.functions.publish_version(FunctionName="one"),
        lambda: lab.functions.tag_resource(Resource=arn, Tags={"a": "b"}),
    ]
    for work in works:
        code, status, message = refused(work)
        assert (code, status) == ("ResourceConflictException", 409)
        assert message == f"The operation cannot be performed at this time. An update is in progress for resource: {arn}"


def test_a_failed_update_is_shown_and_does_not_run(lab: Lab) -> None:
    lab.function(
        Environment={"Variables": {"WHICH": "old"}},
        Code={"ZipFile": archive(app="import os\ndef handler(e, c):\n    return os.environ['WHICH']\n")},
    )
    lab.ask("POST", "/functions/one", {"fail_update": True})
    update(lab, Environment={"Variables": {"WHICH": "new"}})
    config = lab.settled()
    assert config["LastUpdateStatus"] == "Failed"
    assert config["LastUpdateStatusReasonCode"] == "InternalError"
    assert json.load(lab.functions.invoke(FunctionName="one")["Payload"]) == "old"


def test_variables_and_layers_are_replaced_whole_and_omitted_fields_stay(lab: Lab) -> None:
    one, two = lab.layer("one"), lab.layer("two")
    before = lab.function(Environment={"Variables": {"AA": "1", "BB": ""}}, Layers=[one], Description="mine", Tags={"a": "b"})
    assert before["Environment"]["Variables"] == {"AA": "1", "BB": ""}
    update(lab, Environment={"Variables": {"CC": "3"}})
    after = lab.settled()
    assert after["Environment"]["Variables"] == {"CC": "3"}
    assert [layer["Arn"] for layer in after["Layers"]] == [one]
    assert after["Description"] == "mine"
    update(lab, Layers=[two], Environment={"Variables": {}})
    after = lab.settled()
    assert [layer["Arn"] for layer in after["Layers"]] == [two]
    assert "Environment" not in after
    update(lab, Layers=[])
    assert "Layers" not in lab.settled()


def test_what_was_there_can_be_put_back_exactly(lab: Lab) -> None:
    layers = [lab.layer("one"), lab.layer("two")]
    variables = {"PYTHONPATH": "/var/task/lib", "EMPTY": "", "NODE_OPTIONS": "--no-warnings"}
    before = lab.function(Environment={"Variables": variables}, Layers=layers, Timeout=7, MemorySize=256)
    update(lab, Environment={"Variables": {"AA": "1"}}, Layers=[layers[1]], Handler="other.handler", Timeout=9)
    lab.settled()
    update(lab, Environment={"Variables": variables}, Layers=layers, Handler="app.handler", Timeout=7)
    after = lab.settled()
    for config in (before, after):
        del config["RevisionId"], config["LastModified"]
    assert before == after


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "InvalidParameterValueException", "Reserved keys used in this request: AWS_REGION"),
        ({"Environment": {"Variables": {"_HANDLER": "x"}}}, "ValidationException", "regular expression pattern"),
        ({"Environment": {"Variables": {"A": "x"}}}, "ValidationException", "regular expression pattern"),
        ({"Environment": {"Variables": {"1A": "x"}}}, "ValidationException", "regular expression pattern"),
        ({"Environment": {"Variables": {"AA": "x" * 4090}}}, "InvalidParameterValueException", "exceeded the 4KB limit. String measured: {"),
        ({"Timeout": 901}, "ValidationException", "less than or equal to 900"),
        ({"Timeout": 0}, "ValidationException", "greater than or equal to 1"),
        ({"MemorySize": 127}, "ValidationException", "greater than or equal to 128"),
        ({"MemorySize": 10241}, "ValidationException", "less than or equal to 10240"),
        ({"Handler": "with space"}, "ValidationException", "regular expression pattern"),
        ({"Runtime": "cobol85"}, "ValidationException", "enum value set"),
        ({"Layers": ["not-an-arn"]}, "ValidationException", "regular expression pattern"),
        ({"Layers": ["arn:aws:lambda:eu-central-1:123456789012:layer:none:1"]}, "InvalidParameterValueException", "layer:none:1 does not exist."),
        ({"Layers": ["arn:aws:lambda:eu-central-1:210987654321:layer:other:1"]}, "AccessDeniedException", "lambda:GetLayerVersion"),
    ],
)  # fmt: skip
def test_refusals(lab: Lab, given: dict[str, Any], code: str, words: str) -> None:
    before = lab.function()
    unchecked = lab.client("lambda", validate=False)
    got, status, message = refused(lambda: unchecked.update_function_configuration(FunctionName="one", **given))
    assert got == code
    assert status in (400, 403)
    assert words in message
    assert lab.settled() == before


def test_four_kilobytes_of_variables_are_counted_as_json(lab: Lab) -> None:
    lab.function()
    fits = 4096 - len('{"AA":""}')
    update(lab, Environment={"Variables": {"AA": "x" * fits}})
    lab.settled()
    assert (
        refused(lambda: update(lab, Environment={"Variables": {"AA": "x" * (fits + 1)}}))[0] == "InvalidParameterValueException"
    )


def test_at_most_five_layers_and_one_version_of_each(lab: Lab) -> None:
    layers = [lab.layer(f"layer{number}") for number in range(6)]
    lab.function(Layers=layers[:5])
    assert refused(lambda: update(lab, Layers=layers)) == (
        "InvalidParameterValueException",
        400,
        "Cannot reference more than 5 layers.",
    )
    again = lab.layer("layer0")
    message = refused(lambda: update(lab, Layers=[layers[0], again]))[2]
    assert message == (
        "Two different versions of the same layer are not allowed to be referenced in the function. "
        f"{layers[0]} and {again} are versions of the same layer."
    )


def test_a_deleted_layer_version_goes_on_working_but_no_update_may_list_it(lab: Lab) -> None:
    arn = lab.layer("gone", python__thing="x = 'from the layer'\n")
    lab.function(Layers=[arn], Code={"ZipFile": archive(app="import thing\ndef handler(e, c):\n    return thing.x\n")})
    lab.functions.delete_layer_version(LayerName="gone", VersionNumber=1)
    assert refused(lambda: lab.functions.get_layer_version_by_arn(Arn=arn))[:2] == ("ResourceNotFoundException", 404)
    assert refused(lambda: update(lab, Layers=[arn]))[2] == f"Layer version {arn} does not exist."
    update(lab, Timeout=5)
    assert [layer["Arn"] for layer in lab.settled()["Layers"]] == [arn]
    assert json.load(lab.functions.invoke(FunctionName="one")["Payload"]) == "from the layer"
    assert lab.layer("gone").endswith(":2")


def test_published_versions_never_change(lab: Lab) -> None:
    lab.function(Environment={"Variables": {"AA": "1"}})
    version = lab.functions.publish_version(FunctionName="one")
    assert version["Version"] == "1"
    assert version["FunctionArn"].endswith(":function:one:1")
    assert lab.functions.publish_version(FunctionName="one")["Version"] == "1", "nothing changed since"
    update(lab, Environment={"Variables": {"AA": "2"}})
    lab.settled()
    assert lab.functions.get_function_configuration(FunctionName="one", Qualifier="1")["Environment"]["Variables"] == {"AA": "1"}
    code, _, _ = refused(lambda: lab.functions.update_function_configuration(FunctionName="one:1", Timeout=5))
    assert code == "InvalidParameterValueException"
    assert lab.functions.publish_version(FunctionName="one")["Version"] == "2"
    assert refused(lambda: lab.functions.publish_version(FunctionName="one", RevisionId="no"))[1] == 412
    assert (
        refused(lambda: lab.functions.publish_version(FunctionName="one", CodeSha256="no"))[0] == "InvalidParameterValueException"
    )
    listed = lab.functions.list_versions_by_function(FunctionName="one")["Versions"]
    assert [row["Version"] for row in listed] == ["$LATEST", "1", "2"]
    lab.functions.create_alias(FunctionName="one", Name="live", FunctionVersion="1")
    assert refused(lambda: lab.functions.delete_function(FunctionName="one", Qualifier="1"))[1] == 409
    lab.functions.delete_function(FunctionName="one", Qualifier="2")
    assert [row["Version"] for row in lab.functions.list_versions_by_function(FunctionName="one")["Versions"]] == ["$LATEST", "1"]


def test_aliases_route(lab: Lab) -> None:
    lab.function(Code={"ZipFile": archive(app="def handler(e, c):\n    return c.function_version\n")})
    lab.functions.publish_version(FunctionName="one")
    update(lab, Timeout=5)
    lab.settled()
    lab.functions.publish_version(FunctionName="one")
    made = lab.functions.create_alias(FunctionName="one", Name="live", FunctionVersion="1", Description="d")
    weights = {"AdditionalVersionWeights": {"2": 0.5}}
    routed = lab.functions.update_alias(FunctionName="one", Name="live", RoutingConfig=weights, RevisionId=made["RevisionId"])
    assert routed["RoutingConfig"] == weights
    assert routed["Description"] == "d"
    assert refused(lambda: lab.functions.update_alias(FunctionName="one", Name="live", RevisionId=made["RevisionId"]))[1] == 412
    seen = {lab.functions.invoke(FunctionName="one:live")["ExecutedVersion"] for _ in range(40)}
    assert seen == {"1", "2"}
    for wrong in ({"AdditionalVersionWeights": {"1": 0.5}}, {"AdditionalVersionWeights": {"$LATEST": 0.5}}):
        given = {"FunctionName": "one", "Name": "live", "RoutingConfig": wrong}
        assert refused(functools.partial(lab.functions.update_alias, **given))[1] == 400
    assert refused(lambda: lab.functions.create_alias(FunctionName="one", Name="more", FunctionVersion="9"))[1] == 404
    lab.functions.update_alias(FunctionName="one", Name="live", RoutingConfig={"AdditionalVersionWeights": {}})
    assert "RoutingConfig" not in lab.functions.get_alias(FunctionName="one", Name="live")
    lab.functions.put_provisioned_concurrency_config(FunctionName="one", Qualifier="live", ProvisionedConcurrentExecutions=1)
    listed = lab.functions.list_provisioned_concurrency_configs(FunctionName="one")["ProvisionedConcurrencyConfigs"]
    assert [row["FunctionArn"].rsplit(":", 1)[1] for row in listed] == ["live"]


def test_names_come_in_all_their_forms(lab: Lab) -> None:
    arn = lab.function()["FunctionArn"]
    for name in ("one", arn, f"{arn}:$LATEST", "123456789012:function:one", "function:one"):
        assert lab.functions.get_function_configuration(FunctionName=name)["FunctionName"] == "one"
    assert refused(lambda: lab.functions.get_function(FunctionName="none"))[:2] == ("ResourceNotFoundException", 404)
    assert refused(lambda: lab.functions.get_function(FunctionName="one:none"))[1] == 404


def test_code_signing_that_is_enforced_refuses_our_layer(lab: Lab) -> None:
    lab.function()
    layer = lab.layer()
    publishers = {"SigningProfileVersionArns": ["arn:aws:signer:eu-central-1:123456789012:/signing-profiles/p/abcdefghij"]}
    for policy, refusing in (("Warn", False), ("Enforce", True)):
        made = lab.functions.create_code_signing_config(
            AllowedPublishers=publishers, CodeSigningPolicies={"UntrustedArtifactOnDeployment": policy}
        )
        arn = made["CodeSigningConfig"]["CodeSigningConfigArn"]
        lab.functions.put_function_code_signing_config(CodeSigningConfigArn=arn, FunctionName="one")
        assert lab.functions.get_function_code_signing_config(FunctionName="one")["CodeSigningConfigArn"] == arn
        update(lab, Layers=[])
        lab.settled()
        if refusing:
            assert refused(lambda: update(lab, Layers=[layer]))[:2] == ("CodeVerificationFailedException", 400)
        else:
            update(lab, Layers=[layer])
            lab.settled()


def test_kinds_of_function_that_attach_refuses_can_be_made(lab: Lab) -> None:
    role = "arn:aws:iam::123456789012:role/r"
    lab.functions.create_function(
        FunctionName="image",
        PackageType="Image",
        Role=role,
        Code={"ImageUri": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/x:1"},
    )
    config = lab.settled("image")
    assert (config["PackageType"], config.get("Runtime")) == ("Image", None)
    lab.function("snap", SnapStart={"ApplyOn": "PublishedVersions"})
    assert lab.settled("snap")["SnapStart"] == {"ApplyOn": "PublishedVersions", "OptimizationStatus": "Off"}
    lab.function("durable", DurableConfig={"ExecutionTimeout": 60})
    assert lab.settled("durable")["DurableConfig"] == {"ExecutionTimeout": 60}
    lab.function("secret", Environment={"Variables": {"AA": "1"}}, KMSKeyArn="arn:aws:kms:eu-central-1:123456789012:key/k")
    lab.ask("POST", "/functions/secret", {"environment_error": True})
    environment = lab.settled("secret")["Environment"]
    assert "Variables" not in environment
    assert environment["Error"]["ErrorCode"] == "AccessDeniedException"


def test_tags_concurrency_and_lists(lab: Lab) -> None:
    arn = lab.function(Tags={"a": "b"})["FunctionArn"]
    lab.functions.tag_resource(Resource=arn, Tags={"c": "d"})
    lab.functions.untag_resource(Resource=arn, TagKeys=["a"])
    assert lab.functions.list_tags(Resource=arn)["Tags"] == {"c": "d"}
    lab.functions.put_function_concurrency(FunctionName="one", ReservedConcurrentExecutions=0)
    assert lab.functions.get_function(FunctionName="one")["Concurrency"] == {"ReservedConcurrentExecutions": 0}
    assert refused(lambda: lab.functions.invoke(FunctionName="one"))[1] == 429
    lab.functions.delete_function_concurrency(FunctionName="one")
    for number in range(60):
        lab.functions.create_function(
            FunctionName=f"f{number}",
            Runtime="python3.12",
            Handler="a.b",
            Role="arn:aws:iam::123456789012:role/r",
            Code={"ZipFile": archive(a="")},
        )
    pages = list(lab.functions.get_paginator("list_functions").paginate())
    assert [len(page["Functions"]) for page in pages] == [50, 11]
    assert all("State" not in row for page in pages for row in page["Functions"])
    found = lab.client("resourcegroupstaggingapi").get_resources(
        TagFilters=[{"Key": "c", "Values": ["d"]}], ResourceTypeFilters=["lambda:function"]
    )
    assert [row["ResourceARN"] for row in found["ResourceTagMappingList"]] == [arn]
    lab.functions.delete_function(FunctionName="one")
    assert refused(lambda: lab.functions.list_tags(Resource=arn))[1] == 404


def test_more_than_the_rate_is_throttled_and_get_function_has_its_own(lab: Lab) -> None:
    lab.function()
    # A fifth of AWS's rates: how fast this machine is does not matter then. The rates themselves are tested where they are counted.
    lab.settings(rates=0.2)
    outcomes: list[object] = []
    for _ in range(40):
        try:
            lab.functions.list_tags(Resource="arn:aws:lambda:eu-central-1:123456789012:function:one")
            outcomes.append("ok")
        except lab.functions.exceptions.TooManyRequestsException as error:
            outcomes.append(error.response["ResponseMetadata"]["HTTPStatusCode"])
    assert outcomes[:3] == ["ok"] * 3
    assert 429 in outcomes
    for _ in range(20):
        lab.functions.get_function(FunctionName="one")


def test_what_botocore_would_not_send_is_refused(lab: Lab) -> None:
    import urllib.error
    import urllib.request

    lab.function()
    for body in (b'{"Unknown": 1}', b'{"Timeout": "3"}', b'{"Layers": {}}', b"[]", b"{"):
        request = urllib.request.Request(f"{lab.url}/2015-03-31/functions/one/configuration", method="PUT", data=body)
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request)
        assert caught.value.code == 400


def test_of_many_who_read_one_revision_one_writes(lab: Lab) -> None:
    lab.settings(update_ms=0)
    revision = lab.function()["RevisionId"]
    unlucky: list[str] = []
    lucky: list[int] = []

    def write(timeout: int) -> None:
        try:
            update(lab, Timeout=timeout, RevisionId=revision)
            lucky.append(timeout)
        except lab.functions.exceptions.ClientError as error:
            unlucky.append(error.response["Error"]["Code"])

    threads = [threading.Thread(target=write, args=(timeout,)) for timeout in range(10, 26)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(lucky) == 1
    assert set(unlucky) <= {"PreconditionFailedException", "ResourceConflictException"}
    assert lab.settled()["Timeout"] == lucky[0]
