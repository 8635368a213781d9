"""The stack's roles as `fis/stack.yaml` writes them, whole or with a part taken out, made in a lab beside what they are for."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "lab"), str(ROOT / "fis" / "scripts")]

import build_stack  # noqa: E402
from client import Lab, archive, until  # noqa: E402

ACCOUNT, REGION = "123456789012", "eu-central-1"
TEMPLATE: dict[str, Any] = yaml.load((ROOT / "fis" / "stack.yaml").read_text(), build_stack.Loader)
RESOURCES = build_stack.policies_as_text(TEMPLATE["Resources"])
ROLES = ("AutomationRole", "ExperimentRole")
# The policies of each, by what they are called in the stack; a role's own name stands for who may be it.
POLICIES = {
    role: [role, *(name for name, one in RESOURCES.items() if one["Properties"].get("Roles") == [{"Ref": role}])]
    for role in ROLES
}
OPT_IN = {TEMPLATE["Parameters"]["OptInTagKey"]["Default"]: TEMPLATE["Parameters"]["OptInTagValue"]["Default"]}
TARGET_KEY = TEMPLATE["Parameters"]["TargetTagKey"]["Default"]
ARCHITECTURES = ("x86_64",)
# Many scripts run at once, on a machine that may be busy.
PATIENCE_S = 600

OWN: dict[str, dict[str, Any]] = {
    "python": {"Runtime": "python3.12", "Handler": "app.handler", "Environment": {"Variables": {"MODE": "1", "EMPTY": ""}}},
    "node": {
        "Runtime": "nodejs22.x",
        "Handler": "index.handler",
        "Environment": {"Variables": {"NODE_OPTIONS": "--no-warnings"}},
    },
    "java": {"Runtime": "java21", "Handler": "app.M::handle", "Environment": {"Variables": {"JAVA_TOOL_OPTIONS": "-Xmx64m"}}},
}


@dataclass(frozen=True)
class Part:
    """A statement, or one action or one resource of it."""

    policy: str
    sid: str
    action: str = ""
    resource: str = ""

    def __str__(self) -> str:
        return "-".join(
            filter(None, [self.policy, self.sid, self.action, re.sub(r"^.*?\$\{AWS::AccountId\}:", "", self.resource)])
        )

    def taken_from(self, statements: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """What is left without it; a statement that would be empty goes as a whole."""
        left = []
        for statement in statements:
            if statement["Sid"] != self.sid or not (self.action or self.resource):
                left += [statement] * (statement["Sid"] != self.sid)
                continue
            key, value = ("Action", self.action) if self.action else ("Resource", self.resource)
            left.append({**statement, key: [one for one in listed(statement[key]) if one != value]})
        return left


def listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def statements(policy: str) -> list[dict[str, Any]]:
    """A policy's statements as they stand in the stack, its variables too."""
    properties = TEMPLATE["Resources"][policy]["Properties"]
    found: list[dict[str, Any]] = (properties.get("PolicyDocument") or properties["AssumeRolePolicyDocument"])["Statement"]
    return found


def parts(role: str) -> Iterator[Part]:
    """Everything that can be taken from a role: each statement, and each of several actions or resources of it."""
    for policy in POLICIES[role]:
        for statement in statements(policy):
            yield Part(policy, statement["Sid"])
            for key in ("Action", "Resource"):
                several = listed(statement.get(key, []))
                yield from (Part(policy, statement["Sid"], **{key.lower(): one}) for one in several if len(several) > 1)


class Stack:
    """What the stack makes, made in a lab by hand: roles, layers, documents, a plan, an alarm. `without`: a part of a role that is not there."""

    def __init__(self, lab: Lab, name: str, without: Part | None = None) -> None:
        self.lab, self.name = lab, name
        self.values = {
            "AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": ACCOUNT, "AWS::StackName": name, "AllowedLayers": "*",
            **{key: one["Default"] for key, one in TEMPLATE["Parameters"].items() if key.startswith("OptIn")},
            **{f"{role}.Arn": f"arn:aws:iam::{ACCOUNT}:role/{name}-{role}" for role in ROLES},
        }  # fmt: skip
        for role in ROLES:
            self.make_role(role, without)
        for language, key in build_stack.LANGUAGES.items():
            for architecture in ARCHITECTURES:
                found = lab.functions.publish_layer_version(
                    LayerName=f"{name}-{language}-{architecture}", Content={"ZipFile": archive(x="1")}, CompatibleArchitectures=[architecture]
                )  # fmt: skip
                self.values[f"{key}Layer{build_stack.ARCHITECTURES[architecture]}"] = found["LayerVersionArn"]
        layers = [key for key in self.values if "Layer" in key and key != "AllowedLayers"]
        for document in build_stack.DOCUMENT_NAMES:
            properties = build_stack.document(document, layers)["Properties"]
            given = {key: properties[key] for key in ("DocumentType", "DocumentFormat")}
            lab.ssm.create_document(Name=f"{name}-{document}", Content=self.filled(properties["Content"]), **given)
        plan = build_stack.plan("sample")["Properties"]
        lab.ssm.put_parameter(Name=self.path("plan/sample"), Value=plan["Value"], Type="String")
        alarm = TEMPLATE["Resources"]["StopAlarm"]["Properties"]
        given = {key: self.filled(value) if isinstance(value, dict) else value for key, value in alarm.items()}
        lab.client("cloudwatch").put_metric_alarm(**given)
        lab.client("logs").create_log_group(
            logGroupName=self.filled(TEMPLATE["Resources"]["ExperimentLogs"]["Properties"]["LogGroupName"])
        )

    def path(self, rest: str) -> str:
        return f"/faultlayer/{self.name}/{rest}"

    def filled(self, value: Any) -> str:
        """A text of the stack as CloudFormation makes it."""
        text = value["Fn::Sub"] if isinstance(value, dict) else value
        text = text[0] if isinstance(text, list) else text
        for name, one in self.values.items():
            text = text.replace("${" + name + "}", one)
        assert "${" not in text, text
        return str(text)

    def document(self, policy: str, without: Part | None) -> str:
        """A policy's text, without what is taken from it."""
        properties = RESOURCES[policy]["Properties"]
        found = json.loads(self.filled(properties.get("PolicyDocument") or properties["AssumeRolePolicyDocument"]))
        if without and without.policy == policy:
            part = Part(policy, without.sid, without.action, self.filled(without.resource))
            found["Statement"] = part.taken_from(found["Statement"])
        return json.dumps(found)

    def make_role(self, role: str, without: Part | None) -> None:
        iam, name = self.lab.client("iam"), f"{self.name}-{role}"
        trust, *policies = POLICIES[role]
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=self.document(trust, without))
        for policy in policies:
            text = self.document(policy, without)
            iam.put_role_policy(RoleName=name, PolicyName=RESOURCES[policy]["Properties"]["PolicyName"], PolicyDocument=text)

    # --- what the roles are for

    def function(self, language: str = "python", tags: dict[str, str] | None = None, suffix: str = "", **more: Any) -> str:
        """A function as its owner has it, with a layer of the owner's own; with the opt-in tag unless `tags` says otherwise."""
        name = f"{self.name}-{language}{suffix}"
        layer = self.lab.layer(f"own-of-{name}")
        given = {**OWN[language], "Layers": [layer], "Tags": OPT_IN if tags is None else tags, **more}
        self.lab.function(name, **given)
        return name

    def behind_an_alias(self, suffix: str = "") -> str:
        """A function that callers reach by an alias with provisioned concurrency, whose code signing only warns; the target of the tag."""
        functions = self.lab.functions
        profile = f"arn:aws:signer:{REGION}:{ACCOUNT}:/signing-profiles/p/abcdefghij"
        signing = functions.create_code_signing_config(
            AllowedPublishers={"SigningProfileVersionArns": [profile]},
            CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Warn"},
        )["CodeSigningConfig"]["CodeSigningConfigArn"]
        name = self.function(tags={**OPT_IN, TARGET_KEY: self.name}, suffix=suffix, CodeSigningConfigArn=signing)
        functions.publish_version(FunctionName=name)
        functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
        functions.put_provisioned_concurrency_config(FunctionName=name, Qualifier="live", ProvisionedConcurrentExecutions=1)
        return name

    def snapshot(self, name: str) -> dict[str, Any]:
        """All of a function but what every update changes."""
        functions = self.lab.functions
        config = dict(functions.get_function_configuration(FunctionName=name))
        aliases = functions.list_aliases(FunctionName=name)["Aliases"]
        for one in [config, *aliases]:
            for key in ("ResponseMetadata", "RevisionId", "LastModified"):
                one.pop(key, None)
        versions = functions.list_versions_by_function(FunctionName=name)["Versions"]
        return {**config, "aliases": aliases, "versions": [version["Version"] for version in versions]}

    def is_attached(self, name: str) -> bool:
        config = self.lab.functions.get_function_configuration(FunctionName=name)
        return "FAULTLAYER_PLAN" in config.get("Environment", {}).get("Variables", {})

    def start(self, document: str, **parameters: str | list[str]) -> str:
        """Starts a document as somebody does who may do everything; the execution's id."""
        given = {key: value if isinstance(value, list) else [value] for key, value in parameters.items()}
        if document != "Rollback" and "PlanSource" not in given:
            given.setdefault("Plan", [f"parameter:{self.path('plan/sample')}"])
        return self.lab.start(f"{self.name}-{document}", **given)

    def ended(self, execution: str) -> Any:
        """An execution once it has ended."""
        return until(lambda: self.lab.execution(execution), lambda view: "ExecutionEndTime" in view, PATIENCE_S)

    def run(self, document: str, **parameters: str | list[str]) -> Any:
        """Starts a document; the execution once it has ended."""
        return self.ended(self.start(document, **parameters))

    def report(self, execution: Any) -> dict[str, Any]:
        """What a roll-back says it did."""
        outputs = execution.get("Outputs", {})
        text = (outputs.get("Rollback.Report") or outputs.get("Restore.Report") or ["{}"])[0]
        found: dict[str, Any] = json.loads(text) if text.startswith("{") else {}
        return found

    def executions(self, document: str) -> list[str]:
        """The ids of all executions of a document."""
        filters = [{"Key": "DocumentNamePrefix", "Values": [f"{self.name}-{document}"]}]
        found = self.lab.ssm.describe_automation_executions(Filters=filters)["AutomationExecutionMetadataList"]
        return [one["AutomationExecutionId"] for one in found]

    def kept(self) -> dict[str, int]:
        """How many parameters there are below the stack's path, by kind."""
        found: dict[str, int] = {}
        for page in self.lab.ssm.get_paginator("get_parameters_by_path").paginate(Path=self.path(""), Recursive=True):
            for parameter in page["Parameters"]:
                kind = parameter["Name"].split("/")[3]
                found[kind] = found.get(kind, 0) + 1
        return found

    def action(self, document: str, name: str, **parameters: str) -> dict[str, Any]:
        """An action of an experiment template: a document on one function."""
        given = {"FunctionNames": [name], "Plan": f"parameter:{self.path('plan/sample')}", **parameters}
        text = json.dumps(given, separators=(",", ":"))
        arn = f"arn:aws:ssm:{REGION}:{ACCOUNT}:document/{self.name}-{document}"
        return {
            "actionId": "aws:ssm:start-automation-execution",
            "parameters": {"documentArn": arn, "documentParameters": text, "maxDuration": "PT12H"},
        }

    def experiment(self, **actions: dict[str, Any]) -> str:
        """Starts an experiment with the stack's alarm and a log; its id."""
        fis = self.lab.client("fis")
        stop = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{self.name}-stop"
        group = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/faultlayer/{self.name}/experiments:*"
        made = fis.create_experiment_template(
            clientToken=f"template-{self.name}-{len(self.experiments())}", description="d", actions=actions,
            roleArn=self.values["ExperimentRole.Arn"], tags={"faultlayer": self.name},
            stopConditions=[{"source": "aws:cloudwatch:alarm", "value": stop}],
            logConfiguration={"logSchemaVersion": 2, "cloudWatchLogsConfiguration": {"logGroupArn": group}},
        )["experimentTemplate"]["id"]  # fmt: skip
        return str(fis.start_experiment(experimentTemplateId=made)["experiment"]["id"])

    def experiments(self) -> list[str]:
        found = self.lab.client("fis").list_experiments()["experiments"]
        return [one["id"] for one in found if one["tags"].get("faultlayer") == self.name]

    def seen(self, experiment: str) -> Any:
        return self.lab.client("fis").get_experiment(id=experiment)["experiment"]

    def over(self, experiment: str) -> Any:
        """An experiment once it has ended."""
        return until(lambda: self.seen(experiment), lambda found: "endTime" in found, PATIENCE_S)

    def holds(self, execution: str) -> bool:
        steps = self.lab.execution(execution)["StepExecutions"]
        return any(step["StepName"] == "Hold" and step["StepStatus"] == "InProgress" for step in steps)
