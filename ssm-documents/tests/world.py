"""An account to attach in: functions, layers, the steps as Systems Manager would call them."""

import io
import json
import os
import time
import uuid
import zipfile
from datetime import datetime, timezone
from typing import Any

import boto3
from faultlayer_documents.attach import attach
from faultlayer_documents.aws import Aws
from faultlayer_documents.check import check
from faultlayer_documents.confirm import confirm
from faultlayer_documents.replace import replace
from faultlayer_documents.restore import restore

REGION = "eu-central-1"
PLAN = '{"version": 1, "experiment": "t", "faults": [{"id": "a", "kind": "latency", "rate": 0.5, "delay_ms": 10}]}'


def zipped(**files: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "."), text)
    return stream.getvalue()


CODE = zipped(app__py="def handler(event, context):\n    return event\n")

OWN = {
    "python": {
        "Runtime": "python3.12",
        "Handler": "app.handler",
        "Environment": {"Variables": {"PYTHONPATH": "/var/task/lib", "MODE": "1", "EMPTY": ""}},
    },
    "node": {"Runtime": "nodejs22.x", "Handler": "index.handler", "Environment": {"Variables": {"NODE_OPTIONS": "--enable-source-maps"}}},
    "java": {"Runtime": "java21", "Handler": "app.M::handle", "Environment": {"Variables": {"JAVA_TOOL_OPTIONS": "-Xmx64m"}}},
    "bare": {"Runtime": "python3.13", "Handler": "app.handler"},
}


class World:
    """What the tests ask of an endpoint; `AWS_ENDPOINT_URL` and credentials are in the environment."""

    def __init__(self) -> None:
        self.fn = boto3.client("lambda")
        self.ssm = boto3.client("ssm")
        self.role = os.environ.get("TEST_ROLE", "arn:aws:iam::000000000000:role/r")
        self.layers: dict[str, str] = {}
        # What Automation would say of the executions whose steps are called here.
        self.executions: dict[str, dict[str, Any]] = {}
        self.checked: dict[str, Any] = {}

    def layer(self, name: str, **more: Any) -> str:
        zip_file = zipped(python="x") if "content" not in more else more.pop("content")
        return self.fn.publish_layer_version(LayerName=name, Content={"ZipFile": zip_file}, **more)["LayerVersionArn"]

    def our_layers(self) -> dict[str, str]:
        for kind in ("Python", "Node", "Java"):
            arn = self.layer(f"faultlayer-{kind.lower()}-x86_64", CompatibleArchitectures=["x86_64"])
            self.layers[f"{kind}LayerX8664"] = arn
        return self.layers

    def function(self, name: str = "", kind: str = "python", **more: Any) -> str:
        name = name or f"f-{uuid.uuid4().hex[:8]}"
        self.fn.create_function(
            **{"FunctionName": name, "Role": self.role, "Code": {"ZipFile": CODE}, "Timeout": 5, "MemorySize": 128, **OWN[kind], **more}
        )
        while self.config(name).get("State") == "Pending":
            time.sleep(0.02)
        return name

    def config(self, name: str) -> dict[str, Any]:
        return self.fn.get_function_configuration(FunctionName=name)

    def snapshot(self, name: str) -> dict[str, Any]:
        """All of a function but what every update changes, and its tags and aliases."""
        config = dict(self.config(name))
        for key in ("ResponseMetadata", "RevisionId", "LastModified"):
            config.pop(key, None)
        if not config.get("Environment", {}).get("Variables", True):
            # No variables: Lambda's answer may lack the field or hold an empty map, and no request can choose.
            config.pop("Environment")
        aliases = self.fn.list_aliases(FunctionName=name)["Aliases"]
        config["aliases"] = [{key: value for key, value in alias.items() if key != "RevisionId"} for alias in aliases]
        config["versions"] = [version["Version"] for version in self.fn.list_versions_by_function(FunctionName=name)["Versions"]]
        config["tags"] = self.fn.list_tags(Resource=config["FunctionArn"]).get("Tags", {})
        return json.loads(json.dumps(config, default=str))

    def events(self, names: list[str], execution: str = "", **more: Any) -> dict[str, Any]:
        return {
            "Execution": execution or str(uuid.uuid4()),
            "FunctionNames": names,
            "Plan": PLAN,
            "DurationMinutes": 10,
            "DryRun": False,
            **self.layers,
            **more,
        }

    def check(self, events: dict[str, Any]) -> dict[str, Any]:
        """What the first step of an execution that begins now does first; what it answers."""
        execution = {
            "DocumentName": "Faultlayer-Attach",
            "ExecutionStartTime": datetime.now(timezone.utc),
            "StepExecutions": [],
            "Parameters": {name: [str(events[name])] for name in ("DryRun", "PlanSource") if name in events},
        }
        self.executions[events["Execution"]] = execution
        self.checked[events["Execution"]] = check(Aws(), events)
        return self.checked[events["Execution"]][0]

    def claim(self, execution: str) -> dict[str, Any]:
        """The rest of the step; its outputs stand where it ends well."""
        outputs, options, entries = self.checked[execution]
        attach(Aws(), "Faultlayer", options, entries)
        step = {"StepName": "Attach", "Outputs": {name: [str(value)] for name, value in outputs.items()}}
        self.executions[execution]["StepExecutions"].append(step)
        return outputs

    def attach(self, names: list[str], **more: Any) -> str:
        """Check and attach; the execution's id."""
        events = self.events(names, **more)
        self.check(events)
        self.claim(events["Execution"])
        return events["Execution"]

    def roll_back(self, **events: Any) -> dict[str, Any]:
        """Restore and confirm; the report."""
        result = self.restore(**events)
        confirm({key: result[key] for key in ("Left", "Names", "Report")}, None)
        return json.loads(result["Report"])

    def change(self, execution: str, plan: str, **events: Any) -> dict[str, Any]:
        """Another plan for what an execution attached; the report."""
        return json.loads(replace({"ExecutionId": execution, "Plan": plan, **events}, None)["Report"])

    def restore(self, **events: Any) -> dict[str, Any]:
        """The roll-back's first step; its outputs."""
        return restore({**self.layers, **events}, None)

    def parameters(self, path: str = "/faultlayer/Faultlayer/record") -> list[str]:
        pages = self.ssm.get_paginator("get_parameters_by_path").paginate(Path=path, Recursive=True)
        return [parameter["Name"] for page in pages for parameter in page["Parameters"]]
