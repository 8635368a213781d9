"""The shipped stack comes, changes and goes by the AWS command line as it is."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from client import Lab, until

from conftest import Aws, Deployed

ROOT = Path(__file__).resolve().parents[2]


def everything(lab: Lab) -> dict[str, list[str]]:
    """The names of all that a stack makes."""

    def names(service: str, operation: str, key: str, name: str, **given: Any) -> list[str]:
        pages = lab.client(service, attempts=8).get_paginator(operation).paginate(**given)
        return sorted(str(row[name]) for page in pages for row in page[key])

    return {
        "functions": names("lambda", "list_functions", "Functions", "FunctionName"),
        "layers": names("lambda", "list_layers", "Layers", "LayerName"),
        "documents": names(
            "ssm", "list_documents", "DocumentIdentifiers", "Name", Filters=[{"Key": "Owner", "Values": ["Self"]}]
        ),
        "parameters": names("ssm", "describe_parameters", "Parameters", "Name"),
        "roles": names("iam", "list_roles", "Roles", "RoleName"),
        "alarms": names("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
        "groups": names("logs", "describe_log_groups", "logGroups", "logGroupName"),
        "experiments": names("fis", "list_experiment_templates", "experimentTemplates", "id"),
    }


@pytest.fixture(scope="module")
def outputs(lab: Lab, deployed: Deployed) -> dict[str, str]:
    assert not any(everything(lab).values())
    return deployed("chaos")


def test_everything_of_the_stack_is_there(lab: Lab, outputs: dict[str, str], aws: Aws) -> None:
    found = everything(lab)
    assert found["functions"] == ["chaos-java", "chaos-node", "chaos-python"]
    assert found["documents"] == ["chaos-Attach", "chaos-Change", "chaos-Experiment", "chaos-Rollback"]
    assert found["parameters"] == ["/faultlayer/chaos/plan/ramp", "/faultlayer/chaos/plan/sample"]
    assert (found["alarms"], len(found["roles"]), len(found["experiments"])) == (["chaos-stop"], 3, 7)
    assert found["groups"] == [
        "/aws/lambda/chaos-java", "/aws/lambda/chaos-node", "/aws/lambda/chaos-python", "/faultlayer/chaos/experiments",
    ]  # fmt: skip
    assert set(found["layers"]) >= {"chaos-python-x86_64", "chaos-node-x86_64", "chaos-java-x86_64"}
    rows = aws("cloudformation", "list-stack-resources", "--stack-name", "chaos")["StackResourceSummaries"]
    assert {row["ResourceStatus"] for row in rows} == {"CREATE_COMPLETE"}
    assert json.loads(outputs["PythonChaosInjectionParam"])["FunctionNames"] == ["chaos-python"]
    assert outputs["PythonTemplate"] in found["experiments"]


def test_documents_are_the_shipped_ones_with_the_stack_s_own_defaults(lab: Lab, outputs: dict[str, str]) -> None:
    role = lab.client("iam", attempts=8).list_roles()["Roles"]
    arns = {row["Arn"] for row in role}
    for name in ("Attach", "Rollback", "Experiment", "Change"):
        content = lab.client("ssm", attempts=8).get_document(Name=outputs[f"{name}Document"])["Content"]
        assert len(content.encode()) <= 65_536
        document = json.loads(content)
        shipped = json.loads((ROOT / "ssm-documents" / f"Faultlayer-{name}.json").read_text())
        given = {key: document["parameters"][key].get("default") for key in document["parameters"]}
        assert given["AutomationAssumeRole"] in arns
        if "PythonLayerX8664" in given:
            assert given["PythonLayerX8664"].split(":layer:")[1] == "chaos-python-x86_64:1"
        for one in (document, shipped):
            for parameter in one["parameters"].values():
                parameter.pop("default", None)
        assert document == shipped


def test_sample_functions_answer(lab: Lab, outputs: dict[str, str], aws: Aws, tmp_path: Path) -> None:
    aws("lambda", "invoke", "--function-name", "chaos-python", str(tmp_path / "answer.json"))
    assert "errorMessage" not in (tmp_path / "answer.json").read_text()


def test_an_update_without_changes_is_none(lab: Lab, outputs: dict[str, str], deployed: Deployed) -> None:
    before = everything(lab)
    assert deployed("chaos") == outputs
    assert everything(lab) == before


def test_another_layer_makes_another_version_that_the_documents_name(
    lab: Lab, outputs: dict[str, str], deployed: Deployed, dist: Path
) -> None:
    archive = dist / "layers" / "faultlayer-python-x86_64.zip"
    with zipfile.ZipFile(archive, "a") as layer:
        layer.writestr("python/another.txt", "another")
    after = deployed("chaos")
    assert {key: after[key] for key in outputs} == outputs
    ssm = lab.client("ssm", attempts=8)
    document = ssm.get_document(Name="chaos-Attach")
    assert document["DocumentVersion"] == "2"
    default = json.loads(document["Content"])["parameters"]["PythonLayerX8664"]["default"]
    assert default.endswith(":layer:chaos-python-x86_64:2")
    versions = lab.client("lambda", attempts=8).list_layer_versions(LayerName="chaos-python-x86_64")["LayerVersions"]
    assert [row["Version"] for row in versions] == [2]


def test_without_samples_only_what_names_a_function_is_there(lab: Lab, outputs: dict[str, str], deployed: Deployed) -> None:
    after = deployed("bare", DeploySampleLambda="No", PythonFunctionName="mine", OptInTagKey="Ready")
    assert json.loads(after["PythonChaosInjectionParam"])["FunctionNames"] == ["mine"]
    assert "NodeChaosInjectionParam" not in after
    assert not [name for name in everything(lab)["functions"] if name.startswith("bare")]
    iam = lab.client("iam", attempts=8)
    [role] = [row["RoleName"] for row in iam.list_roles()["Roles"] if row["RoleName"].startswith("bare-AutomationRole")]
    document = iam.get_role_policy(RoleName=role, PolicyName="automation")["PolicyDocument"]
    assert document["Statement"][0]["Condition"] == {"StringEquals": {"aws:ResourceTag/Ready": "True"}}


def test_deleting_leaves_nothing(lab: Lab, outputs: dict[str, str], aws: Aws) -> None:
    for name in ("bare", "chaos"):
        aws("cloudformation", "delete-stack", "--stack-name", name)
    listed = until(
        lambda: {row["StackName"]: row["StackStatus"] for row in aws("cloudformation", "list-stacks")["StackSummaries"]},
        lambda rows: all(not status.endswith("_IN_PROGRESS") for status in rows.values()),
    )
    assert listed == {"bare": "DELETE_COMPLETE", "chaos": "DELETE_COMPLETE"}
    assert not any(everything(lab).values())
