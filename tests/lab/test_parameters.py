"""Parameter Store and documents."""

from __future__ import annotations

import json

import pytest

from client import Lab, refused
from documents import document, script


def put(lab: Lab, value: str, **more: object) -> object:
    return lab.ssm.put_parameter(**{"Name": "/one", "Value": value, "Type": "String", **more})


def test_a_parameter_has_versions(lab: Lab) -> None:
    assert put(lab, "a")["Version"] == 1  # type: ignore[index]
    assert refused(lambda: put(lab, "b"))[0] == "ParameterAlreadyExists"
    assert put(lab, "b", Overwrite=True)["Version"] == 2  # type: ignore[index]
    assert lab.ssm.get_parameter(Name="/one")["Parameter"]["Value"] == "b"
    assert lab.ssm.get_parameter(Name="/one:1")["Parameter"]["Value"] == "a"
    arn = lab.ssm.get_parameter(Name="/one")["Parameter"]["ARN"]
    assert arn == "arn:aws:ssm:eu-central-1:123456789012:parameter/one"
    lab.ssm.delete_parameter(Name="/one")
    assert refused(lambda: lab.ssm.get_parameter(Name="/one"))[0] == "ParameterNotFound"
    assert lab.ssm.delete_parameters(Names=["/one"])["InvalidParameters"] == ["/one"]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"Value": "x" * 4097}, "ValidationException"),
        ({"Value": 'a {{ "b" }} c'}, "ValidationException"),
        ({"Value": ""}, "ValidationException"),
        ({"Name": "aws-thing"}, "AccessDeniedException"),
        ({"Name": "ssm-thing"}, "ValidationException"),
        ({"Name": "a/b"}, "ValidationException"),
        ({"Name": "a b"}, "ValidationException"),
        ({"Name": "/a" * 16}, "HierarchyLevelLimitExceededException"),
        ({"Type": "Number"}, "ValidationException"),
        ({"AllowedPattern": "[0-9]+"}, "ParameterPatternMismatchException"),
    ],
)
def test_refusals(lab: Lab, given: dict[str, str], code: str) -> None:
    assert (
        refused(lambda: put(lab, **{"value": "a", **given}))[0] == code
        if "Value" not in given
        else refused(lambda: lab.client("ssm", validate=False).put_parameter(**{"Name": "/one", "Type": "String", **given}))[0]
        == code
    )
    assert lab.ssm.describe_parameters()["Parameters"] == []


def test_four_kilobytes_fit_and_paths_are_listed(lab: Lab) -> None:
    put(lab, "x" * 4096)
    for name in ("/f/a", "/f/b", "/f/g/c", "/fa"):
        put(lab, "1", Name=name)
    names = [row["Name"] for row in lab.ssm.get_parameters_by_path(Path="/f")["Parameters"]]
    assert names == ["/f/a", "/f/b"]
    names = [row["Name"] for row in lab.ssm.get_parameters_by_path(Path="/f", Recursive=True)["Parameters"]]
    assert names == ["/f/a", "/f/b", "/f/g/c"]
    found = lab.ssm.describe_parameters(ParameterFilters=[{"Key": "Name", "Option": "BeginsWith", "Values": ["/f/"]}])
    assert len(found["Parameters"]) == 3
    lab.ssm.add_tags_to_resource(ResourceType="Parameter", ResourceId="/f/a", Tags=[{"Key": "k", "Value": "v"}])
    found = lab.ssm.describe_parameters(ParameterFilters=[{"Key": "tag:k", "Values": ["v"]}])
    assert [row["Name"] for row in found["Parameters"]] == ["/f/a"]
    assert lab.ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId="/f/a")["TagList"] == [{"Key": "k", "Value": "v"}]


def test_put_parameter_is_throttled_at_three_a_second(lab: Lab) -> None:
    lab.settings(rates=1)
    outcomes = []
    for number in range(30):
        try:
            put(lab, str(number), Overwrite=True)
            outcomes.append("ok")
        except lab.ssm.exceptions.ClientError as error:
            outcomes.append(error.response["Error"]["Code"])
    assert outcomes[:3] == ["ok"] * 3
    assert "ThrottlingException" in outcomes
    assert lab.client("ssm", 6).put_parameter(Name="/one", Value="last", Type="String", Overwrite=True)["Version"]


def test_a_document_has_versions_and_a_default(lab: Lab) -> None:
    one, two = json.dumps(document(script("return 1"))), json.dumps(document(script("return 2")))
    made = lab.ssm.create_document(Name="Doc", DocumentType="Automation", DocumentFormat="JSON", Content=one)
    assert made["DocumentDescription"]["DefaultVersion"] == "1"
    assert (
        refused(lambda: lab.ssm.create_document(Name="Doc", DocumentType="Automation", Content=one))[0] == "DocumentAlreadyExists"
    )
    assert (
        refused(lambda: lab.ssm.update_document(Name="Doc", Content=one, DocumentVersion="$LATEST"))[0]
        == "DuplicateDocumentContent"
    )
    lab.ssm.update_document(Name="Doc", Content=two, DocumentVersion="$LATEST")
    assert lab.ssm.get_document(Name="Doc")["Content"] == one
    lab.ssm.update_document_default_version(Name="Doc", DocumentVersion="2")
    assert lab.ssm.get_document(Name="Doc")["Content"] == two
    assert lab.ssm.get_document(Name="Doc", DocumentVersion="1")["Content"] == one
    assert [row["IsDefaultVersion"] for row in lab.ssm.list_document_versions(Name="Doc")["DocumentVersions"]] == [False, True]
    assert [
        row["Name"] for row in lab.ssm.list_documents(Filters=[{"Key": "Owner", "Values": ["Self"]}])["DocumentIdentifiers"]
    ] == ["Doc"]
    described = lab.ssm.describe_document(Name="Doc")["Document"]
    assert {row["Name"] for row in described["Parameters"]} == {"AutomationAssumeRole"}
    lab.ssm.delete_document(Name="Doc")
    assert refused(lambda: lab.ssm.get_document(Name="Doc"))[0] == "InvalidDocument"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schemaVersion": "2.2"}, "schemaVersion"),
        ({"mainSteps": []}, "mainSteps"),
        ({"parameters": {"AutomationAssumeRole": {"type": "String", "default": "x", "allowedPattern": "^y*$"}}}, "allowed pattern"),
        ({"parameters": {"AutomationAssumeRole": {"type": "Boolean", "default": "true"}}}, "Boolean"),
        ({"parameters": {"AutomationAssumeRole": {"type": "String", "default": "x", "allowedValues": ["y"]}}}, "allowed value"),
        ({"unknown": 1}, "unknown"),
        ({"outputs": ["nothing.here"]}, "nothing"),
        ({"mainSteps": [{"name": "a", "action": "aws:unknown", "inputs": {}}]}, "aws:unknown"),
        ({"mainSteps": [{"name": "a", "action": "aws:sleep", "inputs": {}}]}, "Duration"),
        ({"mainSteps": [{**script("return 1"), "onFailure": "step:none"}]}, "onFailure"),
        ({"mainSteps": [{**script("return 1"), "nextStep": "none"}]}, "nextStep"),
        ({"mainSteps": [script("return 1"), script("return 1")]}, "name"),
        ({"mainSteps": [script("return '{{ none }}'")]}, "none"),
        ({"mainSteps": [script("return '{{ first.none }}'")]}, "none"),
        ({"mainSteps": [{**script("return 1"), "onCancel": "step:s"}, {"name": "s", "action": "aws:sleep", "inputs": {"Duration": "PT1S"}}]}, "onCancel"),
    ],
)  # fmt: skip
def test_documents_that_cannot_run_are_refused(lab: Lab, change: dict[str, object], words: str) -> None:
    content = json.dumps({**document(script("return 1")), **change})
    code, _, message = refused(lambda: lab.ssm.create_document(Name="Doc", DocumentType="Automation", Content=content))
    assert code == "InvalidDocumentContent"
    assert words in message


def test_a_document_of_more_than_64_kb_is_refused(lab: Lab) -> None:
    content = json.dumps({**document(script("return 1")), "description": "x" * 65_536})
    code, _, _ = refused(lambda: lab.ssm.create_document(Name="Doc", DocumentType="Automation", Content=content))
    assert code == "MaxDocumentSizeExceeded"
