"""Step `Rollback`: the roll-back as an execution of its own, which no cancellation of this one ends."""

import json
from typing import Any

from faultlayer_documents.aws import Aws, code_of

FINAL = ("Success", "Failed", "TimedOut", "Cancelled", "CompletedWithSuccess", "CompletedWithFailure", "Exited", "Rejected")


class RollbackFailed(Exception):
    """The roll-back did not end well; the text names it and says how to repeat it."""


def take_off(events: dict[str, Any], context: Any) -> dict[str, Any]:
    """Starts the roll-back, once: the token is the execution's own id, and a second start with it answers with the first.
    Then waits, hands on its report, and fails where it failed."""
    aws, execution = Aws(), events["Execution"]
    parameters = {"ExecutionId": [execution], "Stack": [events["Stack"]]}
    if events.get("AutomationAssumeRole"):
        parameters["AutomationAssumeRole"] = [events["AutomationAssumeRole"]]
    try:
        started = aws.call(
            "ssm",
            "automation",
            "start_automation_execution",
            DocumentName=events["RollbackDocumentName"],
            Parameters=parameters,
            ClientToken=execution,
        )["AutomationExecutionId"]
    except Exception as error:
        if "Idempotent" not in code_of(error):
            raise
        raise RollbackFailed("the roll-back had been started before: see its own execution") from None
    print(f"roll-back execution {started}")
    while True:
        found = aws.call("ssm", "automation", "get_automation_execution", AutomationExecutionId=started)["AutomationExecution"]
        status = found["AutomationExecutionStatus"]
        if status in FINAL:
            break
        aws.pause(4.0)
    report = str(((found.get("Outputs") or {}).get("Restore.Report") or ["{}"])[0])
    print(report)
    if status != "Success":
        left = json.loads(report).get("left", {}) if report.startswith("{") else {}
        names = ", ".join(sorted(left)) or found.get("FailureMessage", "")
        raise RollbackFailed(f"roll-back `{started}` ended {status}, not restored: {names}"[:2000])
    return {"RollbackExecutionId": started, "Report": report}
