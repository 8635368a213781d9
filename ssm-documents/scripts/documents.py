"""The three documents but for their scripts: parameters, steps, where each step leads. `Script` names a module."""

from typing import Any

LAYER = r"^$|^arn:aws[a-zA-Z-]*:lambda:[a-z0-9-]+:\d{12}:layer:[a-zA-Z0-9-_]+:\d+$"
ROLE = r"^$|^arn:aws[a-zA-Z-]*:iam::\d{12}:role/[\w+=,.@/-]+$"
DOCUMENT = r"^[a-zA-Z0-9_.:/-]{3,200}$"
UUID = "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
EXECUTION = "{{ automation:EXECUTION_ID }}"


def text(description: str, pattern: str, default: str | None = "") -> dict[str, Any]:
    parameter: dict[str, Any] = {"type": "String", "description": description, "allowedPattern": pattern}
    return parameter if default is None else {**parameter, "default": default}


def whole(description: str, default: int) -> dict[str, Any]:
    return {"type": "Integer", "description": description, "default": default}


ROLE_PARAMETER = text("ARN of the role that the automation assumes. Scripts have no rights without one.", ROLE)
FUNCTIONS: dict[str, Any] = {
    "type": "StringList",
    "description": "Names or ARNs of functions, at most 50.",
    "default": [],
    "maxItems": 50,
}
ATTACH_PARAMETERS: dict[str, Any] = {
    "AutomationAssumeRole": ROLE_PARAMETER,
    "FunctionNames": FUNCTIONS,
    "TagKey": text("Instead of FunctionNames: every function with this tag.", r"^[\w .:/=+@-]*$"),
    "TagValue": text("The value the tag must have.", r"^[\w .:/=+@-]*$"),
    "Plan": text(
        "The plan: JSON of at most 512 characters, or `parameter:NAME`, a Parameter Store parameter that the automation reads.",
        r"^\s*(parameter:[a-zA-Z0-9_.\-/]+|\{[\s\S]*\})\s*$",
        None,
    ),
    "DurationMinutes": whole(
        "How long the faults are held. An expiry before the end of the hold is refused; a missing one is set to it.", 10
    ),
    "DryRun": {"type": "Boolean", "description": "Attach, but only log what would be injected.", "default": False},
    "Alias": text("The alias callers use: $LATEST is published and the alias pointed at it, and back.", r"^$|^[a-zA-Z0-9-_]{1,128}$"),
    "TimeoutSeconds": whole("A timeout to set while attached. 0: leave it.", 0),
    "MemoryMiB": whole("A memory size to set while attached. 0: leave it.", 0),
    **{
        f"{kind}Layer{key}": text(f"ARN of the layer version for {language} on {architecture}.", LAYER)
        for kind, language in (("Python", "Python"), ("Node", "Node.js"), ("Java", "Java"))
        for key, architecture in (("X8664", "x86_64"), ("Arm64", "arm64"))
    },
    "RollbackDocumentName": text("The document that takes everything off again.", DOCUMENT, "Faultlayer-Rollback"),
}
PAYLOAD = [name for name in ATTACH_PARAMETERS if name not in ("AutomationAssumeRole", "RollbackDocumentName")]


def step(name: str, module: str, handler: str, payload: dict[str, Any], outputs: dict[str, str], **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "action": "aws:executeScript",
        "timeoutSeconds": 600,
        **more,
        "inputs": {"Runtime": "python3.11", "Handler": handler, "InputPayload": payload, "Script": module},
        "outputs": [{"Name": key, "Selector": f"$.Payload.{key}", "Type": kind} for key, kind in outputs.items()],
    }


def given(names: list[str]) -> dict[str, Any]:
    return {"Execution": EXECUTION, **{name: f"{{{{ {name} }}}}" for name in names}}


# Critical, so that an execution which had to roll back does not end as a success.
TO_ROLLBACK: dict[str, Any] = {"isCritical": True, "onFailure": "step:Rollback", "onCancel": "step:Rollback"}
CHECK = step(
    "Check", "check", "check", given(PAYLOAD),
    {"Functions": "Integer", "AttachSeconds": "Integer", "RollbackSeconds": "Integer", "Estimate": "String", "Hold": "String"},
)  # fmt: skip
ATTACH = step(
    "Attach", "attach", "attach", given([]),
    {"Attached": "Integer", "Seconds": "Integer"}, **TO_ROLLBACK,
)  # fmt: skip
TAKE_OFF = step(
    "Rollback", "relay", "take_off", given(["AutomationAssumeRole", "RollbackDocumentName"]),
    {"RollbackExecutionId": "String", "Report": "String"}, onFailure="Abort", onCancel="Abort", isEnd=True,
)  # fmt: skip


def document(description: str, parameters: dict[str, Any], outputs: list[str], steps: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "schemaVersion": "0.3",
        "description": description,
        "assumeRole": "{{ AutomationAssumeRole }}",
        "outputs": outputs,
        "parameters": parameters,
        "mainSteps": steps,
    }


DOCUMENTS: dict[str, dict[str, Any]] = {
    "Faultlayer-Attach": document(
        "Checks functions and a plan, then puts Faultlayer's layer and the plan on every function. Nothing is changed unless "
        "every function passes. If attaching fails or is cancelled midway, Faultlayer-Rollback takes everything off again; "
        "otherwise roll back with Faultlayer-Rollback. After its expiry the plan does nothing.",
        ATTACH_PARAMETERS,
        ["Check.Estimate", "Attach.Attached"],
        # A refused check has changed nothing, but its record may stand in part.
        [{**CHECK, **TO_ROLLBACK, "nextStep": "Attach"}, {**ATTACH, "isEnd": False, "nextStep": "Done"}, {
            "name": "Done",
            "action": "aws:sleep",
            "inputs": {"Duration": "PT1S"},
            "isEnd": True,
        }, TAKE_OFF],
    ),
    "Faultlayer-Experiment": document(
        "Attaches a plan to functions, holds it for DurationMinutes, and rolls back. Whatever step fails or is cancelled leads "
        "to the roll-back, which runs as its own execution of Faultlayer-Rollback.",
        ATTACH_PARAMETERS,
        ["Check.Estimate", "Attach.Attached", "Rollback.Report"],
        [{**CHECK, **TO_ROLLBACK, "nextStep": "Attach"}, {**ATTACH, "nextStep": "Hold"}, {
            "name": "Hold",
            "action": "aws:sleep",
            **TO_ROLLBACK,
            "inputs": {"Duration": "{{ Check.Hold }}"},
            "nextStep": "Rollback",
        }, TAKE_OFF],
    ),
    "Faultlayer-Rollback": document(
        "Takes off functions exactly what Faultlayer put on, and keeps what their owner changed meanwhile. Give one of "
        "FunctionNames, ExecutionId and AllMarked. May be repeated; what could not be restored is named and fails the execution.",
        {
            "AutomationAssumeRole": ROLE_PARAMETER,
            "FunctionNames": FUNCTIONS,
            "ExecutionId": text("The attaching execution: every function it attached.", f"^$|^{UUID}$"),
            "AllMarked": {"type": "Boolean", "description": "Every function that carries Faultlayer's marker.", "default": False},
        },
        ["Restore.Report"],
        [
            step(
                "Restore", "rollback", "restore",
                {name: f"{{{{ {name} }}}}" for name in ("FunctionNames", "ExecutionId", "AllMarked")},
                {"Report": "String", "Restored": "Integer", "Left": "Integer", "Names": "String"},
                maxAttempts=3, onFailure="Abort", nextStep="Confirm",
            ),
            step(
                "Confirm", "rollback", "confirm",
                {"Left": "{{ Restore.Left }}", "Names": "{{ Restore.Names }}", "Report": "{{ Restore.Report }}"},
                {}, onFailure="Abort", isEnd=True,
            ),
        ],
    ),
}  # fmt: skip
