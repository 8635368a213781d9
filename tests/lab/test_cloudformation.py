"""Stacks: what they make, change and delete, and that nothing of it is lost or left behind."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from client import Lab, refused, until
from documents import document, sleep
from stacks import (
    create,
    created,
    deleted,
    events,
    outputs,
    parameter,
    resources,
    settled,
    stack_of,
    template,
    updated,
    values,
)

YAML = """
AWSTemplateFormatVersion: 2010-09-09
Description: two parameters
Parameters:
  Word: {Type: String, Default: hello}
  Secret: {Type: String, Default: hush, NoEcho: true}
  Both: {Type: String, Default: 'Yes', AllowedValues: ['Yes', 'No']}
Conditions:
  Both: !Equals [!Ref Both, 'Yes']
Resources:
  First:
    Type: AWS::SSM::Parameter
    Metadata: {note: !Ref Word}
    Properties: {Name: !Sub '/${AWS::StackName}/first', Type: String, Value: !Ref Word}
  Second:
    Type: AWS::SSM::Parameter
    Condition: Both
    Properties: {Type: String, Value: !Join ['-', [!Ref First, !GetAtt First.Value]]}
Outputs:
  First: {Value: !GetAtt First.Value, Description: the first, Export: {Name: !Sub '${AWS::StackName}-first'}}
  Second: {Value: !Ref Second, Condition: Both}
"""


def test_a_stack_is_made_described_updated_and_deleted(lab: Lab) -> None:
    view = created(lab, YAML, Tags=[{"Key": "team", "Value": "a"}], Parameters=[{"ParameterKey": "Word", "ParameterValue": "hi"}])
    second = resources(lab)["Second"][0]
    assert second.startswith("one-Second-")
    assert values(lab)["/one/first"] == "hi"
    assert lab.ssm.get_parameter(Name=second)["Parameter"]["Value"] == "/one/first-hi"
    assert outputs(view) == {"First": "hi", "Second": second}
    assert view["Outputs"][0]["ExportName"] == "one-first"
    assert view["Description"] == "two parameters"
    given = {row["ParameterKey"]: row["ParameterValue"] for row in view["Parameters"]}
    assert given == {"Word": "hi", "Secret": "****", "Both": "Yes"}
    tags = lab.ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId="/one/first")["TagList"]
    assert tags == view["Tags"] == [{"Key": "team", "Value": "a"}]
    client = lab.client("cloudformation")
    detail = client.describe_stack_resource(StackName="one", LogicalResourceId="First")["StackResourceDetail"]
    assert json.loads(detail["Metadata"]) == {"note": "hi"}
    assert client.get_template(StackName="one")["TemplateBody"] == YAML
    listed = client.list_stack_resources(StackName="one")["StackResourceSummaries"]
    assert [row["ResourceStatus"] for row in listed] == ["CREATE_COMPLETE"] * 2
    assert events(lab)[0] == ("one", "CREATE_IN_PROGRESS", "User Initiated")
    assert [row[:2] for row in events(lab) if row[0] == "First"] == [
        ("First", "CREATE_IN_PROGRESS"), ("First", "CREATE_IN_PROGRESS"), ("First", "CREATE_COMPLETE"),
    ]  # fmt: skip

    kept = [{"ParameterKey": "Word", "UsePreviousValue": True}, {"ParameterKey": "Both", "ParameterValue": "No"}]
    view = updated(lab, YAML, Parameters=kept)
    assert outputs(view) == {"First": "hi"}
    assert set(resources(lab)) == {"First"}
    assert [row[:2] for row in events(lab)][-4:] == [
        ("one", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"), ("Second", "DELETE_IN_PROGRESS"), ("Second", "DELETE_COMPLETE"),
        ("one", "UPDATE_COMPLETE"),
    ]  # fmt: skip
    assert [row["StackName"] for row in client.list_stacks()["StackSummaries"]] == ["one"]

    gone = deleted(lab)
    assert gone["DeletionTime"] >= gone["CreationTime"]
    assert values(lab) == {}
    assert client.describe_stacks()["Stacks"] == []
    assert refused(lambda: stack_of(lab))[::2] == ("ValidationError", "Stack with id one does not exist")
    # Its name is free again.
    created(lab, YAML)


def test_a_change_set_says_what_it_will_do_and_an_empty_one_says_so(lab: Lab) -> None:
    client = lab.client("cloudformation")
    resources_ = {"A": parameter("a", Name="/a"), "B": parameter({"Fn::GetAtt": ["A", "Value"]}), "C": parameter("c")}
    client.create_change_set(
        StackName="one", ChangeSetName="first", ChangeSetType="CREATE", TemplateBody=template(resources_), Capabilities=[]
    )
    described = client.describe_change_set(StackName="one", ChangeSetName="first")
    assert (described["Status"], described["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")
    assert [(row["ResourceChange"]["Action"], row["ResourceChange"]["LogicalResourceId"]) for row in described["Changes"]] == [
        ("Add", "A"), ("Add", "B"), ("Add", "C"),
    ]  # fmt: skip
    assert stack_of(lab)["StackStatus"] == "REVIEW_IN_PROGRESS"
    client.execute_change_set(StackName="one", ChangeSetName="first")
    settled(lab, status="CREATE_COMPLETE")

    client.create_change_set(StackName="one", ChangeSetName="same", TemplateBody=template(resources_))
    same = client.describe_change_set(StackName="one", ChangeSetName="same")
    assert (same["Status"], same["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert same["StatusReason"].startswith("The submitted information didn't contain changes.")
    assert refused(lambda: client.execute_change_set(StackName="one", ChangeSetName="same"))[0] == "InvalidChangeSetStatus"
    body = template(resources_)
    assert refused(lambda: client.update_stack(StackName="one", TemplateBody=body))[2] == "No updates are to be performed."

    other = {"A": parameter("a", Name="/b"), "B": resources_["B"], "D": parameter("d")}
    client.create_change_set(StackName="one", ChangeSetName="next", TemplateBody=template(other))
    changes = {
        row["ResourceChange"]["LogicalResourceId"]: row["ResourceChange"]
        for row in client.describe_change_set(StackName="one", ChangeSetName="next")["Changes"]
    }
    assert {name: (row["Action"], row.get("Replacement")) for name, row in changes.items()} == {
        "A": ("Modify", "True"), "B": ("Modify", "False"), "C": ("Remove", None), "D": ("Add", None),
    }  # fmt: skip
    assert changes["A"]["Details"][0]["Target"] == {"Attribute": "Properties", "Name": "Name", "RequiresRecreation": "Always"}
    assert changes["B"]["Details"][0]["Evaluation"] == "Dynamic"
    assert {row["ChangeSetName"] for row in client.list_change_sets(StackName="one")["Summaries"]} == {"same", "next", "first"}
    client.execute_change_set(StackName="one", ChangeSetName="next")
    settled(lab, status="UPDATE_COMPLETE")
    assert set(resources(lab)) == {"A", "B", "D"}
    assert "/b" in values(lab)
    assert "/a" not in values(lab)
    client.delete_change_set(StackName="one", ChangeSetName="next")
    assert refused(lambda: client.describe_change_set(StackName="one", ChangeSetName="next"))[0] == "ChangeSetNotFound"


def test_what_a_stack_may_not_be_is_refused_in_cloudformation_s_words(lab: Lab) -> None:
    client = lab.client("cloudformation")
    ok = template({"A": parameter()})
    make = partial(client.create_stack, StackName="one")
    role = template({"R": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}}}})
    named = role.replace('"Properties": {', '"Properties": {"RoleName": "r", ')
    cases: list[tuple[dict[str, Any], str, str]] = [
        ({}, "ValidationError", "Either Template URL or Template Body must be specified."),
        ({"TemplateBody": "{"}, "ValidationError", "Template format error: JSON not well-formed. (line 1, column 1)"),
        ({"TemplateBody": "a: ["}, "ValidationError", "Template format error: YAML not well-formed."),
        ({"TemplateBody": template({"A": {"Type": "AWS::EC2::Nope"}})}, "ValidationError", "Unrecognized resource types: [AWS::EC2::Nope]"),
        ({"TemplateBody": template({"A": parameter({"Ref": "B"})})}, "ValidationError", "Unresolved resource dependencies [B]"),
        (
            {"TemplateBody": template({"A": parameter({"Ref": "B"}), "B": parameter({"Ref": "A"})})},
            "ValidationError", "Circular dependency between resources: [A, B]",
        ),
        ({"TemplateBody": role}, "InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_IAM]"),
        (
            {"TemplateBody": named, "Capabilities": ["CAPABILITY_IAM"]},
            "InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_NAMED_IAM]",
        ),
        (
            {"TemplateBody": template({"A": parameter()}, Transform="AWS::Serverless-2016-10-31"), "Capabilities": ["CAPABILITY_AUTO_EXPAND"]},
            "ValidationError", "No transform named AWS::Serverless-2016-10-31 found.",
        ),
        ({"TemplateBody": ok + " " * 51200}, "ValidationError", "at 'templateBody' failed to satisfy constraint: Member must have length"),
        ({"TemplateBody": ok, "StackName": "a_b"}, "ValidationError", "at 'stackName' failed to satisfy constraint"),
        (
            {"TemplateBody": ok, "Parameters": [{"ParameterKey": "P", "ParameterValue": "x"}]},
            "ValidationError", "Parameters: [P] do not exist in the template",
        ),
        ({"TemplateBody": ok, "TimeoutInMinutes": 5}, "ValidationError", "the lab does not serve `TimeoutInMinutes`"),
        ({"TemplateURL": "ftp://nowhere"}, "ValidationError", "TemplateURL must be a supported URL."),
    ]  # fmt: skip
    for given, code, message in cases:
        found = refused(partial(make, **given))
        assert (found[0], message in found[2]) == (code, True), found
    assert client.describe_stacks()["Stacks"] == []
    created(lab, ok)
    assert refused(partial(make, TemplateBody=ok))[::2] == ("AlreadyExistsException", "Stack [one] already exists")
    retyped = template({"A": {"Type": "AWS::Logs::LogGroup"}})
    assert "Update of resource type is not permitted" in refused(lambda: updated(lab, retyped))[2]
    missing = partial(client.update_stack, StackName="two", TemplateBody=ok)
    assert refused(missing)[2] == "Stack [two] does not exist"
    assert refused(lambda: client.describe_stack_events(StackName="two"))[2] == "Stack [two] does not exist"
    client.delete_stack(StackName="two")


def test_a_template_is_summed_up(lab: Lab) -> None:
    client = lab.client("cloudformation")
    summary = client.get_template_summary(TemplateBody=YAML)
    assert summary["ResourceTypes"] == ["AWS::SSM::Parameter"]
    assert summary["ResourceIdentifierSummaries"][0]["ResourceIdentifiers"] == ["Name"]
    both = next(row for row in summary["Parameters"] if row["ParameterKey"] == "Both")
    assert (both["DefaultValue"], both["ParameterConstraints"]) == ("Yes", {"AllowedValues": ["Yes", "No"]})
    role = template({"R": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}}}})
    validated = client.validate_template(TemplateBody=role)
    assert validated["Capabilities"] == ["CAPABILITY_IAM"]
    assert validated["CapabilitiesReason"] == "The following resource(s) require capabilities: [AWS::IAM::Role]"


def test_a_property_that_a_type_does_not_have_is_named(lab: Lab) -> None:
    wrong = template({"A": parameter("a"), "B": parameter({"Ref": "A"}, Nope=1)})
    said = "Properties validation failed for resource B with message:\n#: extraneous key [Nope] is not permitted"
    create(lab, wrong)
    settled(lab, status="ROLLBACK_COMPLETE")
    assert ("B", "CREATE_FAILED", said) in events(lab)
    client = lab.client("cloudformation")
    client.create_change_set(StackName="two", ChangeSetName="c", ChangeSetType="CREATE", TemplateBody=wrong)
    described = client.describe_change_set(StackName="two", ChangeSetName="c")
    assert (described["Status"], described["StatusReason"]) == ("FAILED", said)


def test_a_creation_that_fails_is_rolled_back_and_leaves_nothing(lab: Lab) -> None:
    lab.ssm.put_parameter(Name="/taken", Value="mine", Type="String")
    body = template({"A": parameter("a"), "B": parameter({"Ref": "A"}, Name="/taken"), "C": parameter({"Ref": "B"})})
    create(lab, body)
    view = settled(lab, status="ROLLBACK_COMPLETE")
    seen = events(lab)
    assert ("B", "CREATE_FAILED", "/taken already exists in stack or outside of it") in seen
    assert (
        "one", "ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create: [B]. Rollback requested by user.",
    ) in seen  # fmt: skip
    assert not [row for row in seen if row[0] == "C"]
    assert values(lab) == {"/taken": "mine"}
    assert view["StackStatus"] == "ROLLBACK_COMPLETE"
    client = lab.client("cloudformation")
    code, _, message = refused(lambda: client.update_stack(StackName="one", TemplateBody=body))
    assert (code, "is in ROLLBACK_COMPLETE state and can not be updated." in message) == ("ValidationError", True)
    deleted(lab)
    # Left as it is, if one wants to look at it.
    create(lab, body, DisableRollback=True)
    settled(lab, status="CREATE_FAILED")
    assert len(values(lab)) == 1
    assert lab.ssm.get_parameter(Name=resources(lab)["A"][0])["Parameter"]["Value"] == "a"
    deleted(lab)
    assert lab.ssm.describe_parameters()["Parameters"][0]["Name"] == "/taken"


def test_an_update_that_fails_is_rolled_back_exactly(lab: Lab) -> None:
    before = {
        "Place": parameter("old", Name="/place", Description="d"), "Moved": parameter("m", Name="/from"),
        "Gone": parameter("g", Name="/gone"), "Last": parameter("l", Name="/last", DependsOn=["Place", "Moved"]),
    }  # fmt: skip
    created(lab, template(before, Outputs={"O": {"Value": {"Ref": "Moved"}}}))
    was = (values(lab), resources(lab), outputs(stack_of(lab)))
    lab.ssm.put_parameter(Name="/taken", Value="mine", Type="String")
    after = {
        "Place": parameter("new", Name="/place"), "Moved": parameter("m", Name="/to"), "New": parameter("n", Name="/new"),
        "Last": parameter("l", Name="/taken", DependsOn=["Place", "Moved", "New"]),
    }  # fmt: skip
    view = updated(lab, template(after), "UPDATE_ROLLBACK_COMPLETE")
    lab.ssm.delete_parameter(Name="/taken")
    assert (values(lab), {name: row[0] for name, row in resources(lab).items()}, outputs(view)) == (
        was[0], {name: row[0] for name, row in was[1].items()}, was[2],
    )  # fmt: skip
    described = lab.ssm.describe_parameters(ParameterFilters=[{"Key": "Name", "Values": ["/place"]}])["Parameters"][0]
    assert described["Description"] == "d"
    assert ("Last", "UPDATE_FAILED", "/taken already exists in stack or outside of it") in events(lab)
    # And the same once nothing is in the way.
    updated(lab, template(after))
    assert set(values(lab)) == {"/place", "/to", "/new", "/taken"}
    deleted(lab)
    assert values(lab) == {}


def test_policies_keep_what_a_template_wants_kept(lab: Lab) -> None:
    kept = {
        "A": parameter("a", Name="/a", DeletionPolicy="Retain"),
        "B": parameter("b", Name="/b", UpdateReplacePolicy="Retain"),
        "C": parameter("c", Name="/c"),
    }
    created(lab, template(kept))
    updated(lab, template({**kept, "B": parameter("b", Name="/b2", UpdateReplacePolicy="Retain")}))
    assert set(values(lab)) == {"/a", "/b", "/b2", "/c"}
    gone = deleted(lab)
    assert set(values(lab)) == {"/a", "/b"}
    assert ("A", "DELETE_SKIPPED", None) in events(lab, gone["StackId"])


def test_a_deletion_that_fails_says_why_and_can_be_repeated(lab: Lab) -> None:
    created(lab, template({"A": parameter("a", Name="/a"), "B": parameter("b", Name="/b", DependsOn="A")}))
    lab.hook(
        "fail",
        service="ssm",
        operation="DeleteParameter",
        caller="any",
        error={"code": "AccessDeniedException", "status": 400, "message": "no"},
    )
    view = deleted(lab, status="DELETE_FAILED")
    assert view["StackStatusReason"] == "The following resource(s) failed to delete: [B]. "
    [reason] = [reason for name, status, reason in events(lab) if (name, status) == ("B", "DELETE_FAILED")]
    assert reason is not None
    assert "AccessDeniedException" in reason
    assert set(values(lab)) == {"/a", "/b"}
    deleted(lab)
    assert values(lab) == {}


def test_services_that_are_slow_to_answer_are_asked_again(lab: Lab) -> None:
    hook = partial(lab.hook, service="ssm", caller="any")
    hook("throttle", operation="PutParameter", times=2)
    hook("fail", operation="GetParameter")
    created(lab, template({"A": parameter("a", Name="/a")}))
    # The first try had an effect, although nobody heard of it.
    hook("drop_after", operation="PutParameter")
    created(lab, template({"A": parameter("a", Name="/two")}), "two")
    assert values(lab) == {"/a": "a", "/two": "a"}


@pytest.mark.parametrize("operation", ["create", "update", "delete"])
@pytest.mark.parametrize("when", ["hang", "hang_after"])
def test_a_stack_goes_on_after_the_lab_was_killed(labs: list[Lab], tmp_path: Path, operation: str, when: str) -> None:
    lab = Lab(tmp_path)
    labs.append(lab)
    lab.settings(rates=0, poll_ms=20)
    content = json.dumps(document(sleep("a", "PT1S", isEnd=True)))

    def body(value: str, moved: str) -> str:
        return template({
            "A": parameter(value, Name="/a"), "B": parameter({"Fn::GetAtt": ["A", "Value"]}, Name=moved),
            "C": {
                "Type": "AWS::SSM::Document", "DependsOn": "B",
                "Properties": {
                    "Name": "Doc", "DocumentType": "Automation", "UpdateMethod": "NewVersion", "Content": content.replace("PT1S", value),
                },
            },
        })  # fmt: skip

    calls = {"create": ("PutParameter", 2), "update": ("UpdateDocument", 1), "delete": ("DeleteParameter", 1)}
    call, nth = calls[operation]
    if operation != "create":
        created(lab, body("PT1S", "/b"))
    lab.hook(when, nth=nth, service="ssm", operation=call, caller="any")
    stack = create(lab, body("PT1S", "/b")) if operation == "create" else str(stack_of(lab)["StackId"])
    client = lab.client("cloudformation")
    if operation == "update":
        client.update_stack(StackName="one", TemplateBody=body("PT5S", "/moved"))
    elif operation == "delete":
        client.delete_stack(StackName="one")
    until(lambda: lab.ask("GET", "/hooks")["hooks"], lambda hooks: any(hook["hanging"] for hook in hooks))
    lab.kill()
    again = Lab(tmp_path)
    labs.append(again)
    again.settings(poll_ms=20)
    settled(again, stack, {"create": "CREATE_COMPLETE", "update": "UPDATE_COMPLETE", "delete": "DELETE_COMPLETE"}[operation])
    assert (
        values(again)
        == {"create": {"/a": "PT1S", "/b": "PT1S"}, "update": {"/a": "PT5S", "/moved": "PT5S"}, "delete": {}}[operation]
    )
    if operation == "update":
        assert "PT5S" in again.ssm.get_document(Name="Doc")["Content"]
        assert len(again.ssm.list_document_versions(Name="Doc")["DocumentVersions"]) == 2


def test_a_role_to_act_with_must_trust_cloudformation_and_have_the_rights(lab: Lab) -> None:
    iam = lab.client("iam")

    def role(name: str, service: str, *actions: str) -> str:
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        made = iam.create_role(
            RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        )
        if actions:
            rights = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
            document = json.dumps({"Version": "2012-10-17", "Statement": [rights]})
            iam.put_role_policy(RoleName=name, PolicyName="rights", PolicyDocument=document)
        return str(made["Role"]["Arn"])

    stranger = role("stranger", "ec2.amazonaws.com", "ssm:*")
    said = refused(lambda: create(lab, YAML, RoleARN=stranger))
    assert said == ("ValidationError", 400, f"Role {stranger} is invalid or cannot be assumed")
    create(lab, YAML, RoleARN=role("poor", "cloudformation.amazonaws.com"))
    assert settled(lab)["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "/one/first" not in values(lab)
    deleted(lab)
    created(lab, YAML, RoleARN=role("able", "cloudformation.amazonaws.com", "ssm:*"))
    assert values(lab)["/one/first"] == "hello"
