"""The stack as `make stack` writes it: what CloudFormation, Systems Manager and FIS would refuse, found before they do."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from models import problems

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "fis" / "scripts"))
import build_stack  # noqa: E402

STACK = "s" * 40
PSEUDO = {"AWS::StackName": STACK, "AWS::Region": "us-east-1", "AWS::AccountId": "123456789012", "AWS::Partition": "aws"}
LAYERS = [
    f"faultlayer-{language}-{architecture}.zip"
    for language in build_stack.LANGUAGES
    for architecture in build_stack.ARCHITECTURES
]


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the stack is built. Of the layers only the names matter here."""
    folder = tmp_path_factory.mktemp("dist")
    (folder / "layers").mkdir()
    for name in LAYERS:
        (folder / "layers" / name).write_bytes(b"")
    return folder


@pytest.fixture(scope="module")
def stack(dist: Path) -> dict[str, Any]:
    return build_stack.build(dist)


def resolved(value: Any, stack: dict[str, Any], extra: dict[str, Any] | None = None) -> Any:
    """A value as CloudFormation makes it, with every parameter's default; attributes and references as stand-ins of full length."""
    if isinstance(value, list):
        return [resolved(child, stack) for child in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        [(function, argument)] = value.items()
        if function == "Ref":
            if argument in PSEUDO:
                return PSEUDO[argument]
            if argument in stack["Parameters"]:
                parameter = stack["Parameters"][argument]
                return parameter["Default"].split(",") if parameter["Type"] == "CommaDelimitedList" else parameter["Default"]
            return stand_in(argument, stack)
        if function == "Fn::GetAtt":
            assert argument[0] in stack["Resources"]
            return stand_in(argument[0], stack)
        if function == "Fn::Join":
            return argument[0].join(resolved(argument[1], stack))
        if function == "Fn::If":
            return resolved(argument[1 if condition(argument[0], stack) else 2], stack)
        if function == "Fn::Sub":
            text, named = argument if isinstance(argument, list) else (argument, {})
            return re.sub(r"\$\{([^}]+)\}", lambda found: str(variable(found.group(1), named, stack)), text)
        assert not function.startswith("Fn::"), f"`{function}` is not known to the tests"
    return {key: resolved(child, stack) for key, child in value.items()}


def variable(name: str, named: dict[str, Any], stack: dict[str, Any]) -> Any:
    if name in named:
        return resolved(named[name], stack)
    if "." in name:
        return resolved({"Fn::GetAtt": name.split(".")}, stack)
    return resolved({"Ref": name}, stack)


def stand_in(name: str, stack: dict[str, Any]) -> str:
    kind = stack["Resources"][name]["Type"]
    if kind == "AWS::Lambda::LayerVersion":
        layer = resolved(stack["Resources"][name]["Properties"]["LayerName"], stack)
        return f"arn:aws:lambda:us-east-1:123456789012:layer:{layer}:12"
    if kind == "AWS::IAM::Role":
        return f"arn:aws:iam::123456789012:role/{STACK[:24]}-{name}-ABCDEFGHIJKL"
    if kind == "AWS::CloudWatch::Alarm":
        return f"arn:aws:cloudwatch:us-east-1:123456789012:alarm:{STACK}-stop"
    if kind == "AWS::Logs::LogGroup":
        return f"arn:aws:logs:us-east-1:123456789012:log-group:/faultlayer/{STACK}/experiments:*"
    return name


def condition(name: str, stack: dict[str, Any]) -> bool:
    def holds(value: Any) -> bool:
        [(function, argument)] = value.items()
        if function == "Condition":
            return condition(argument, stack)
        if function == "Fn::Equals":
            first, second = resolved(argument, stack)
            return bool(first == second)
        if function == "Fn::Not":
            return not holds(argument[0])
        assert function == "Fn::Or"
        return any(map(holds, argument))

    return holds(stack["Conditions"][name])


def of_type(stack: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {name: resolved(one["Properties"], stack) for name, one in stack["Resources"].items() if one["Type"] == kind}


def policies(stack: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    found = {}
    for name, properties in {**of_type(stack, "AWS::IAM::Policy"), **of_type(stack, "AWS::IAM::Role")}.items():
        text = properties.get("PolicyDocument") or properties["AssumeRolePolicyDocument"]
        found[name] = json.loads(text)["Statement"]
    return found


def test_cfn_lint_finds_nothing(stack: dict[str, Any], dist: Path) -> None:
    (dist / "stack.json").write_text(json.dumps(stack))
    # W3002: the paths of layers and code are for `aws cloudformation package`.
    command = [str(Path(sys.executable).with_name("cfn-lint")), "--ignore-checks", "W3002", "--", str(dist / "stack.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_a_template_through_a_bucket_may_be_as_large(stack: dict[str, Any]) -> None:
    assert len(json.dumps(stack, indent=4)) < 1_000_000


def test_documents_stay_within_what_systems_manager_takes_with_every_default_filled_in(stack: dict[str, Any]) -> None:
    for properties in of_type(stack, "AWS::SSM::Document").values():
        content = properties["Content"]
        assert isinstance(content, str), "an object would be written out with indentation"
        assert len(content.encode()) < 64 * 1024
        parameters = json.loads(content)["parameters"]
        for parameter in parameters.values():
            assert "default" not in parameter or re.search(parameter.get("allowedPattern", ""), str(parameter["default"]))
        assert parameters["AutomationAssumeRole"]["default"].startswith("arn:aws:iam::")
        request = {"Content": content, "Name": properties["Name"], "DocumentType": "Automation", "DocumentFormat": "JSON"}
        assert problems("ssm", "CreateDocument", request) == []


def test_documents_start_the_stack_s_own_roll_back_with_all_six_layers(stack: dict[str, Any]) -> None:
    for name in ("AttachDocument", "ExperimentDocument"):
        parameters = json.loads(of_type(stack, "AWS::SSM::Document")[name]["Content"])["parameters"]
        assert parameters["RollbackDocumentName"]["default"] == f"{STACK}-Rollback"
        layers = [parameter["default"] for key, parameter in parameters.items() if "Layer" in key]
        assert len(layers) == len(LAYERS)
        assert all(STACK in arn for arn in layers)


def test_experiment_templates_are_the_shipped_ones(stack: dict[str, Any]) -> None:
    templates = of_type(stack, "AWS::FIS::ExperimentTemplate")
    assert len(templates) == len(list(build_stack.TEMPLATES.glob("*.json")))
    for properties in templates.values():
        request = api_names(properties)
        assert problems("fis", "CreateExperimentTemplate", {"clientToken": "token", **request}) == []


def api_names(value: Any, keep: bool = False) -> Any:
    """CloudFormation's names as the API's."""
    if isinstance(value, dict):
        own = ("Tags", "Actions", "Targets", "Parameters")
        return {
            key if keep else key[0].lower() + key[1:]: api_names(child, not keep and key in own) for key, child in value.items()
        }
    return [api_names(child) for child in value] if isinstance(value, list) else value


def test_the_parameters_that_are_put_out_are_ready_to_paste(stack: dict[str, Any]) -> None:
    for language in ("Python", "Node", "Java"):
        text = resolved(stack["Outputs"][f"{language}ChaosInjectionParam"]["Value"], stack)
        assert len(text) <= 1024
        assert not re.search(r"\s", text)
        assert all(isinstance(value, str) or all(isinstance(one, str) for one in value) for value in json.loads(text).values())
        assert json.loads(text)["FunctionNames"] == [f"{STACK}-{language.lower()}"]


def test_every_physical_name_has_the_stack_s_and_roles_have_none(stack: dict[str, Any]) -> None:
    for logical, resource in stack["Resources"].items():
        for key in ("Name", "FunctionName", "LayerName", "AlarmName", "LogGroupName"):
            if key in resource["Properties"]:
                assert STACK in resolved(resource["Properties"][key], stack), logical
    assert all("RoleName" not in role for role in of_type(stack, "AWS::IAM::Role").values())


def test_deleting_leaves_nothing(stack: dict[str, Any]) -> None:
    assert not any("DeletionPolicy" in one or "UpdateReplacePolicy" in one for one in stack["Resources"].values())
    assert not of_type(stack, "AWS::S3::Bucket")
    groups = {properties["LogGroupName"] for properties in of_type(stack, "AWS::Logs::LogGroup").values()}
    assert {f"/aws/lambda/{one['FunctionName']}" for one in of_type(stack, "AWS::Lambda::Function").values()} <= groups


def test_stars_stand_only_where_an_action_has_no_resource(stack: dict[str, Any]) -> None:
    free = {"lambda:ListFunctions", "tag:GetResources", "cloudwatch:DescribeAlarms"}
    free |= {
        f"logs:{action}" for action in ("CreateLogDelivery", "PutResourcePolicy", "DescribeResourcePolicies", "DescribeLogGroups")
    }
    for statements in policies(stack).values():
        for statement in statements:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            assert not any("*" in action for action in actions)
            if statement.get("Resource") == "*":
                assert set(actions) <= free


def test_whatever_touches_a_function_needs_the_opt_in_tag(stack: dict[str, Any]) -> None:
    for statement in policies(stack)["AutomationPolicy"]:
        if ":function:" in str(statement["Resource"]):
            assert statement["Condition"]["StringEquals"] == {"aws:ResourceTag/FIS-Ready": "True"}


def test_only_versions_can_be_deleted(stack: dict[str, Any]) -> None:
    [statement] = [one for one in policies(stack)["AutomationPolicy"] if "lambda:DeleteFunction" in one["Action"]]
    assert statement["Resource"].endswith(":function:*:*")


def test_roles_are_for_one_service_in_this_account(stack: dict[str, Any]) -> None:
    for name in ("AutomationRole", "ExperimentRole"):
        [statement] = policies(stack)[name]
        assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": "123456789012"}
        assert statement["Condition"]["ArnLike"]["aws:SourceArn"].split(":")[2] == statement["Principal"]["Service"].split(".")[0]


def test_the_role_has_every_call_that_the_documents_page_lists_and_no_other(stack: dict[str, Any]) -> None:
    rows = re.findall(r"^\| (Lambda|SSM|tagging) \| ([^|]+) \|", (ROOT / "ssm-documents" / "README.md").read_text(), re.MULTILINE)
    services = {"Lambda": "lambda", "SSM": "ssm", "tagging": "tag"}
    listed = {
        f"{services[service]}:{call}"
        for service, calls in rows
        for call in re.findall(r"\b([A-Z][a-z]+[A-Z]\w+)\b", re.sub(r"\([^)]*\)", "", calls))
    }
    allowed = {
        action
        for statement in policies(stack)["AutomationPolicy"]
        for action in (statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]])
    }
    assert allowed == listed
