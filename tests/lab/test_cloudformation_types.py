"""The resource types of stacks: what each is made of, changed in place, replaced, and deleted."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from client import Lab, refused
from documents import document, sleep
from stacks import created, deleted, events, outputs, parameter, resources, template, updated, values


def test_a_resource_with_a_name_of_its_own_is_not_replaced_by_one_of_the_same_name(lab: Lab) -> None:
    content = json.dumps(document(sleep("a", "PT1S", isEnd=True)))
    fixed = {"Name": "Doc", "DocumentType": "Automation", "Content": content}
    created(lab, template({"D": {"Type": "AWS::SSM::Document", "Properties": fixed}}))
    other = template({"D": {"Type": "AWS::SSM::Document", "Properties": {**fixed, "Content": content.replace("PT1S", "PT2S")}}})
    updated(lab, other, "UPDATE_ROLLBACK_COMPLETE")
    reasons = [reason for _, status, reason in events(lab) if status == "UPDATE_FAILED"]
    assert reasons == [
        "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename Doc and update the stack again."
    ]


def test_documents_arrive_as_cloudformation_writes_them_and_get_new_versions(lab: Lab) -> None:
    content = document(sleep("a", "PT1S", isEnd=True))
    text = json.dumps(content, separators=(",", ":"))
    common = {"DocumentType": "Automation", "UpdateMethod": "NewVersion"}

    def body(as_text: str, limit: str) -> str:
        changed = json.loads(text.replace("PT1S", limit))
        return template({
            "Text": {"Type": "AWS::SSM::Document", "Properties": {"Name": "Text", "Content": {"Fn::Sub": as_text}, **common}},
            "Object": {"Type": "AWS::SSM::Document", "Properties": {"Name": "Object", "Content": changed, **common}},
        })  # fmt: skip

    created(lab, body(text, "PT1S"))
    read = partial(lab.ssm.get_document)
    assert read(Name="Text")["Content"] == text
    written = read(Name="Object")["Content"]
    assert written.startswith('{\n  "schemaVersion" : "0.3",\n')
    assert '"mainSteps" : [ {\n    "name" : "a",' in written
    assert json.loads(written) == content
    updated(lab, body(text.replace("PT1S", "PT3S"), "PT2S"))
    assert [read(Name=name)["DocumentVersion"] for name in ("Text", "Object")] == ["2", "2"]
    assert "PT3S" in read(Name="Text")["Content"]
    # Rolled back, the version with the old content is the default again.
    broken = json.loads(body(text, "PT1S"))
    broken["Resources"]["Bad"] = parameter("", DependsOn=["Text", "Object"])
    updated(lab, json.dumps(broken), "UPDATE_ROLLBACK_COMPLETE")
    assert "PT3S" in read(Name="Text")["Content"]
    assert "PT2S" in read(Name="Object")["Content"]
    deleted(lab)
    assert lab.ssm.list_documents(Filters=[{"Key": "Owner", "Values": ["Self"]}])["DocumentIdentifiers"] == []


FUNCTION = {
    "FunctionName": "one", "Runtime": "python3.12", "Handler": "index.handler", "Role": "arn:aws:iam::123456789012:role/r",
    "Code": {"ZipFile": "def handler(event, context):\n    return 1\n"}, "MemorySize": "256", "Environment": {"Variables": {"AA": "1"}},
    "Tags": [{"Key": "a", "Value": "b"}],
}  # fmt: skip


def test_functions_are_active_before_others_need_them(lab: Lab) -> None:
    lab.settings(update_ms=200)

    def body(**changes: Any) -> str:
        own = {key: value for key, value in {**FUNCTION, **changes}.items() if value is not None}
        name = {"Fn::Select": [6, {"Fn::Split": [":", {"Fn::GetAtt": ["F", "Arn"]}]}]}
        return template({"F": {"Type": "AWS::Lambda::Function", "Properties": own}, "P": parameter(name, Name="/p")})

    created(lab, body())
    view = lab.functions.get_function(FunctionName="one")
    assert (view["Configuration"]["State"], view["Configuration"]["MemorySize"], view["Tags"]) == ("Active", 256, {"a": "b"})
    assert values(lab)["/p"] == "one"
    assert lab.functions.invoke(FunctionName="one")["Payload"].read() == b"1"
    code = {"ZipFile": "def handler(event, context):\n    return 2\n"}
    updated(lab, body(Code=code, Environment=None, MemorySize=None, Tags=[{"Key": "c", "Value": "d"}], Timeout=9))
    view = lab.functions.get_function(FunctionName="one")
    assert (view["Configuration"]["LastUpdateStatus"], view["Configuration"]["MemorySize"]) == ("Successful", 128)
    assert view["Configuration"].get("Environment", {}).get("Variables", {}) == {}
    assert (view["Configuration"]["Timeout"], view["Tags"]) == (9, {"c": "d"})
    assert lab.functions.invoke(FunctionName="one")["Payload"].read() == b"2"
    deleted(lab)
    assert lab.functions.list_functions()["Functions"] == []


def test_alarms_and_experiment_templates_are_changed_in_place(lab: Lab) -> None:
    def body(threshold: str, description: str) -> str:
        alarm = {
            "AlarmName": "stop", "Namespace": "n", "MetricName": "m", "Statistic": "Maximum", "Period": 60, "EvaluationPeriods": "1",
            "Threshold": threshold, "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        }  # fmt: skip
        experiment = {
            "Description": description, "Targets": {}, "RoleArn": "arn:aws:iam::123456789012:role/r", "Tags": {"Name": "x"},
            "StopConditions": [{"Source": "aws:cloudwatch:alarm", "Value": {"Fn::GetAtt": ["Alarm", "Arn"]}}],
            "Actions": {"Wait": {"ActionId": "aws:fis:wait", "Parameters": {"duration": "PT1M"}}},
        }  # fmt: skip
        return template(
            {
                "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": alarm},
                "Experiment": {"Type": "AWS::FIS::ExperimentTemplate", "Properties": experiment},
            },
            Outputs={"Id": {"Value": {"Ref": "Experiment"}}},
        )

    found = outputs(created(lab, body("1", "first")))["Id"]
    shown = lab.client("fis").get_experiment_template(id=found)["experimentTemplate"]
    assert shown["stopConditions"][0]["value"].endswith(":alarm:stop")
    assert (shown["actions"]["Wait"]["actionId"], shown["tags"]) == ("aws:fis:wait", {"Name": "x"})
    view = updated(lab, body("2", "second"), Tags=[{"Key": "team", "Value": "a"}])
    assert outputs(view)["Id"] == found
    shown = lab.client("fis").get_experiment_template(id=found)["experimentTemplate"]
    assert (shown["description"], shown["tags"]) == ("second", {"Name": "x", "team": "a"})
    [alarm] = lab.client("cloudwatch").describe_alarms(AlarmNames=["stop"])["MetricAlarms"]
    assert alarm["Threshold"] == 2.0
    tags = lab.client("cloudwatch").list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "a"}]
    deleted(lab)
    assert lab.client("fis").list_experiment_templates()["experimentTemplates"] == []
    assert lab.client("cloudwatch").describe_alarms()["MetricAlarms"] == []


TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def test_roles_get_their_policies_and_lose_them(lab: Lab) -> None:
    def body(*actions: str, inline: str = "inline") -> str:
        statement = [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]
        policy = {"Version": "2012-10-17", "Statement": statement}
        own = [{"PolicyName": inline, "PolicyDocument": policy}]
        return template(
            {
                "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST, "Policies": own}},
                "Policy": {
                    "Type": "AWS::IAM::Policy",
                    "Properties": {"PolicyName": "own", "Roles": [{"Ref": "Role"}], "PolicyDocument": json.dumps(policy)},
                },
            },
            Outputs={"Arn": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}}},
        )

    allowed: dict[str, Any] = {"Capabilities": ["CAPABILITY_IAM"]}
    arn = outputs(created(lab, body("s3:GetObject"), **allowed))["Arn"]
    iam, name = lab.client("iam"), resources(lab)["Role"][0]
    assert arn == iam.get_role(RoleName=name)["Role"]["Arn"]
    assert set(iam.list_role_policies(RoleName=name)["PolicyNames"]) == {"inline", "own"}
    updated(lab, body("s3:PutObject", inline="other"), **allowed)
    assert set(iam.list_role_policies(RoleName=name)["PolicyNames"]) == {"other", "own"}
    found = iam.get_role_policy(RoleName=name, PolicyName="own")["PolicyDocument"]
    assert found["Statement"][0]["Action"] == ["s3:PutObject"]
    deleted(lab)
    assert refused(lambda: iam.get_role(RoleName=name))[0] == "NoSuchEntity"
