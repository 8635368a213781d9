"""A deployed stack as its user sees it: functions before and after, experiments and their ends, calls and what they meet."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass
from typing import Any

import pytest
from client import Lab, until

LANGUAGES = {"Python": "python", "Node": "node", "Java": "java"}
# What every update of a function changes.
MOVING = ("LastModified", "RevisionId")


@dataclass
class Stack:
    """One stack in a lab."""

    lab: Lab
    name: str
    outputs: dict[str, str]

    def client(self, service: str) -> Any:
        return self.lab.client(service, attempts=8)

    @property
    def functions(self) -> list[str]:
        """Its sample functions, as far as they were built."""
        return [f"{self.name}-{key}" for language, key in LANGUAGES.items() if f"{language}Template" in self.outputs]

    def configurations(self) -> dict[str, Any]:
        """All of each function that is the user's, versions and aliases with it."""
        client = self.client("lambda")
        found = {}
        for name in self.functions:
            own = until(
                lambda name=name: client.get_function_configuration(FunctionName=name),  # type: ignore[misc]
                lambda configuration: configuration["LastUpdateStatus"] != "InProgress",
            )
            own = {key: value for key, value in own.items() if key not in (*MOVING, "ResponseMetadata")}
            versions = [one["Version"] for one in client.list_versions_by_function(FunctionName=name)["Versions"]]
            found[name] = own | {"versions": versions, "aliases": client.list_aliases(FunctionName=name)["Aliases"]}
        return found

    def attached(self) -> list[str]:
        """The functions with a layer of the stack's."""
        client = self.client("lambda")
        layers = {name: client.get_function_configuration(FunctionName=name).get("Layers", []) for name in self.functions}
        return [name for name, own in layers.items() if any(f":layer:{self.name}-" in one["Arn"] for one in own)]

    def template(self, **parameters: Any) -> str:
        """A template as the shipped one for Python, for all functions, with other parameters of its action."""
        fis = self.client("fis")
        shipped = fis.get_experiment_template(id=self.outputs["PythonTemplate"])["experimentTemplate"]
        action = shipped["actions"]["faults"]
        given = json.loads(action["parameters"]["documentParameters"]) | {"FunctionNames": self.functions}
        action["parameters"] |= {"documentParameters": json.dumps(given, separators=(",", ":"))} | parameters
        taken = ("description", "actions", "stopConditions", "roleArn", "logConfiguration")
        made = fis.create_experiment_template(**{key: shipped[key] for key in taken}, tags={"Name": "test"})
        return str(made["experimentTemplate"]["id"])

    def start(self, template: str) -> str:
        return str(self.client("fis").start_experiment(experimentTemplateId=template)["experiment"]["id"])

    def state(self, experiment: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client("fis").get_experiment(id=experiment)["experiment"]
        return found

    def experiments(self) -> set[str]:
        """All that there are, by id."""
        return {str(one["id"]) for one in self.client("fis").list_experiments()["experiments"]}

    def ended(self, experiment: str) -> str:
        """How an experiment ended, once it has."""
        found = until(lambda: self.state(experiment), lambda found: "endTime" in found)
        return str(found["state"]["status"])

    def automation(self, document: str, **parameters: list[str]) -> str:
        """Runs one of the stack's documents; how it ended. Looks seldom, since looking counts as well."""
        ssm = self.client("ssm")
        started = ssm.start_automation_execution(DocumentName=f"{self.name}-{document}", Parameters=parameters)
        end = time.monotonic() + 300
        while time.monotonic() < end:
            found = ssm.get_automation_execution(AutomationExecutionId=started["AutomationExecutionId"])["AutomationExecution"]
            if "ExecutionEndTime" in found:
                return str(found["AutomationExecutionStatus"])
            time.sleep(0.5)
        pytest.fail(f"{document} has not ended")

    def injected(self, function: str, calls: int = 1) -> int:
        """Calls of a function that met a fault, by its log."""
        client = self.client("lambda")
        hit = 0
        for _ in range(calls):
            answer = client.invoke(FunctionName=function, Payload="{}", LogType="Tail")
            hit += b'"action":"injected"' in base64.b64decode(answer["LogResult"])
        return hit
