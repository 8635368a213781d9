"""Step `Rollback`: the roll-back as an execution of its own, which no cancellation of this one ends."""

import json
import time
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

FINAL = ("Success", "Failed", "TimedOut", "Cancelled", "CompletedWithSuccess", "CompletedWithFailure", "Exited", "Rejected")
# A script may run 600 s, and one reading of an execution may take its time. Few functions are restored within seconds.
WATCHED_S, POLL_S = 540.0, 4.0
# Without the pace and the clock of the other steps, whose code this one would have to carry.
CONFIG = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 9})


class RollbackFailed(Exception):
    """The roll-back did not end well; the text names it and says how to repeat it."""


def take_off(events: dict[str, Any], context: Any) -> dict[str, Any]:
    """Starts the roll-back, once. The token is the execution's own id, and a second start with it answers with the first.

    Then waits, hands on its report, and fails where it failed."""
    ssm, execution, ends = boto3.client("ssm", config=CONFIG), events["Execution"], time.monotonic() + WATCHED_S
    parameters = {"ExecutionId": [execution], "Stack": [events["Stack"]]}
    if events.get("AutomationAssumeRole"):
        parameters["AutomationAssumeRole"] = [events["AutomationAssumeRole"]]
    try:
        started = ssm.start_automation_execution(DocumentName=events["RollbackDocumentName"], Parameters=parameters, ClientToken=execution)[
            "AutomationExecutionId"
        ]
    except ClientError as error:
        if "Idempotent" not in error.response["Error"]["Code"]:
            raise
        raise RollbackFailed("the roll-back had been started before: see its own execution") from None
    print(f"roll-back execution {started}")
    pause_s = 1.0
    while True:
        found = ssm.get_automation_execution(AutomationExecutionId=started)["AutomationExecution"]
        status = found["AutomationExecutionStatus"]
        if status in FINAL:
            break
        if time.monotonic() > ends:
            raise RollbackFailed(f"roll-back `{started}` goes on: see its own execution")
        time.sleep(pause_s)
        pause_s = min(POLL_S, 2 * pause_s)
    report = str(((found.get("Outputs") or {}).get("Restore.Report") or ["{}"])[0])
    print(report)
    if status != "Success":
        left = json.loads(report).get("left", {}) if report.startswith("{") else {}
        names = ", ".join(sorted(left)) or found.get("FailureMessage", "")
        raise RollbackFailed(f"roll-back `{started}` ended {status}, not restored: {names}"[:2000])
    return {"RollbackExecutionId": started, "Report": report}
