"""The lab as an account: the shipped documents registered, executions started and watched, hooks set."""

import json
import time
from pathlib import Path
from typing import Any

from endpoints import Lab
from world import PLAN, World

DOCUMENTS = Path(__file__).parents[1]
FINAL = ("Success", "Failed", "TimedOut", "Cancelled")


class LabWorld(World):
    """A World whose documents run."""

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self.lab = lab

    def register(self) -> None:
        """The documents, as they are shipped but for layers and role as defaults."""
        for path in DOCUMENTS.glob("Faultlayer-*.json"):
            document = json.loads(path.read_text())
            for key, arn in {**self.layers, "AutomationAssumeRole": self.role}.items():
                if key in document["parameters"]:
                    document["parameters"][key]["default"] = arn
            content = json.dumps(document)
            self.ssm.create_document(Name=path.stem, Content=content, DocumentType="Automation", DocumentFormat="JSON")

    def start(self, document: str, **parameters: Any) -> str:
        """Starts an execution; its id. Values are given as one text or a list of texts."""
        given = {key: value if isinstance(value, list) else [str(value)] for key, value in parameters.items()}
        return str(self.ssm.start_automation_execution(DocumentName=document, Parameters=given)["AutomationExecutionId"])

    def experiment(self, names: list[str], document: str = "Faultlayer-Experiment", **more: Any) -> str:
        return self.start(document, FunctionNames=names, Plan=more.pop("Plan", PLAN), **more)

    def execution(self, execution: str) -> dict[str, Any]:
        return dict(self.ssm.get_automation_execution(AutomationExecutionId=execution)["AutomationExecution"])

    def finished(self, execution: str, seconds: float = 120, every_s: float = 0.1) -> dict[str, Any]:
        """The execution once it has ended. At AWS's rates it must be asked seldom: the documents ask, too."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            found = self.execution(execution)
            if found["AutomationExecutionStatus"] in FINAL:
                return found
            time.sleep(every_s)
        raise AssertionError(f"still {found['AutomationExecutionStatus']}: {found['StepExecutions']}")

    def story(self, execution: str) -> str:
        """What became of each step, for a test's message."""
        found = self.execution(execution)
        steps = [f"{step['StepName']} {step['StepStatus']} {step.get('FailureMessage', '')}" for step in found["StepExecutions"]]
        return "\n".join([f"{found['AutomationExecutionStatus']} {found.get('FailureMessage', '')}", *steps])

    def quiet(self, seconds: float = 60) -> None:
        """Waits until no execution and no script runs any more."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            page = self.ssm.describe_automation_executions(MaxResults=50)["AutomationExecutionMetadataList"]
            running = [one for one in page if one["AutomationExecutionStatus"] not in FINAL]
            if not running and not self.lab.get("/scripts")["scripts"]:
                return
            time.sleep(0.05)
        raise AssertionError(f"still running: {running} {self.lab.get('/scripts')}")

    def fault(self, nth: int, do: str | list[str], execution: str = "", **more: Any) -> int:
        match = {key: more.pop(key) for key in ("document", "operation", "resource") if key in more}
        if execution:
            match["execution"] = execution
        return int(self.lab.post("/hooks", {"match": match, "nth": nth, "do": do, **more})["id"])

    def clear_faults(self) -> None:
        self.lab.request("DELETE", "/hooks")

    def calls(self, execution: str) -> list[dict[str, Any]]:
        return list(self.lab.get(f"/calls?since=1&execution={execution}")["calls"])
