"""The four documents but for their scripts: parameters, steps, where each step leads. `Script` names a module."""

from typing import Any

LAYER = r"^(arn(:[\w-]+){4}:layer:[\w-]+:\d+)?$"
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
LAYERS = {
    f"{kind}Layer{key}": text(f"Layer version for {language} on {architecture}.", LAYER)
    for kind, language in (("Python", "Python"), ("Node", "Node.js"), ("Java", "Java"))
    for key, architecture in (("X8664", "x86_64"), ("Arm64", "arm64"))
}
STACK = text(
    "The stack these documents belong to: records and marks lie below /faultlayer/STACK/.", r"^[a-zA-Z0-9_.-]{1,128}$", "Faultlayer"
)
PLAN = "The plan: JSON of at most 512 characters, or `parameter:NAME`, a Parameter Store parameter that the automation reads."
PLAN_TEXT = r"^\s*(parameter:[a-zA-Z0-9_.\-/]+|\{[\s\S]*\})\s*$"
ATTACH_PARAMETERS: dict[str, Any] = {
    "AutomationAssumeRole": ROLE_PARAMETER,
    "FunctionNames": FUNCTIONS,
    "TagKey": text("Instead of FunctionNames: every function with this tag.", r"^[\w .:/=+@-]*$"),
    "TagValue": text("The value the tag must have.", r"^[\w .:/=+@-]*$"),
    "Plan": text(PLAN, f"^$|{PLAN_TEXT}"),
    "PlanSource": text(
        "Instead of Plan: where functions read it, `file:PATH`, `appconfig:APPLICATION/ENVIRONMENT/PROFILE` or "
        "`parameter:/NAME`. The latter two need AWS's extension on the functions.",
        r"^(file:/\S+|appconfig:[^/\s]+/[^/\s]+/[^/\s]+|parameter:/[\w.\-/]+)?$",
    ),
    "DurationMinutes": whole(
        "How long the faults are held. An expiry before the end of the hold is refused; a missing one is set to it.", 10
    ),
    "DryRun": {"type": "Boolean", "description": "Attach, with `dry_run` in the plan: only log what would be injected.", "default": False},
    "Alias": text("The alias callers use: $LATEST is published and the alias pointed at it, and back.", r"^$|^[a-zA-Z0-9-_]{1,128}$"),
    "TimeoutSeconds": whole("A timeout to set while attached. 0: leave it.", 0),
    "MemoryMiB": whole("A memory size to set while attached. 0: leave it.", 0),
    **LAYERS,
    "Stack": STACK,
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
# Checks, then attaches. No two steps can share a script, and checking needs most of what attaching needs.
ATTACH = step(
    "Attach", "attach", "check_and_attach", given(PAYLOAD),
    {
        "Functions": "Integer", "Estimate": "String", "Hold": "String",
        "Until": "String", "Experiment": "String",
        "Record": "String",
    }, **TO_ROLLBACK,
)  # fmt: skip
# Starting it is what everything hangs on: tried again where it fails, and a cancellation that comes then starts it as well.
# The token makes them one.
TAKE_OFF = [
    step(
        "Rollback", "rollback", "take_off", given(["AutomationAssumeRole", "RollbackDocumentName", "Stack"]),
        {"RollbackExecutionId": "String", "Report": "String"},
        maxAttempts=3, isCritical=True, onFailure="Abort", onCancel="step:RollbackAfterCancel", isEnd=True,
    ),
    {
        "name": "RollbackAfterCancel",
        "action": "aws:executeAwsApi",
        "maxAttempts": 3,
        "onFailure": "Abort",
        "isEnd": True,
        "inputs": {
            "Service": "ssm",
            "Api": "StartAutomationExecution",
            "DocumentName": "{{ RollbackDocumentName }}",
            "ClientToken": EXECUTION,
            "Parameters": {
                "ExecutionId": [EXECUTION],
                "Stack": ["{{ Stack }}"],
                "AutomationAssumeRole": ["{{ AutomationAssumeRole }}"],
            },
        },
    },
]  # fmt: skip


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
        ["Attach.Estimate", "Attach.Functions"],
        # A refused check has changed nothing, but its record may stand in part.
        [{**ATTACH, "nextStep": "Done"}, {
            "name": "Done",
            "action": "aws:sleep",
            "inputs": {"Duration": "PT1S"},
            "isEnd": True,
        }, *TAKE_OFF],
    ),
    "Faultlayer-Experiment": document(
        "Attaches a plan to functions, holds it for DurationMinutes, and rolls back. Whatever step fails or is cancelled leads "
        "to the roll-back, which runs as its own execution of Faultlayer-Rollback.",
        ATTACH_PARAMETERS,
        ["Attach.Estimate", "Attach.Functions", "Rollback.Report"],
        [{**ATTACH, "nextStep": "Hold"}, {
            "name": "Hold",
            "action": "aws:sleep",
            **TO_ROLLBACK,
            "inputs": {"Duration": "{{ Attach.Hold }}"},
            "nextStep": "Rollback",
        }, *TAKE_OFF],
    ),
    "Faultlayer-Change": document(
        "Gives the functions that a running execution attached another plan: at the plan's source where that is a parameter, "
        "else by one update of each function. A roll-back that begins meanwhile wins. What could not be changed is named and fails "
        "the execution.",
        {
            "AutomationAssumeRole": ROLE_PARAMETER,
            "ExecutionId": text("The attaching execution: every function it attached.", f"^{UUID}$", None),
            "Plan": text(f"{PLAN} May not expire after the one that was attached; without an end it gets that one's.", PLAN_TEXT, None),
            "Stack": STACK,
        },
        ["Replace.Report"],
        [
            step(
                "Replace", "replace", "replace",
                {name: f"{{{{ {name} }}}}" for name in ("ExecutionId", "Plan", "Stack")},
                {"Report": "String", "Changed": "Integer", "Left": "Integer", "Names": "String"},
                onFailure="Abort", nextStep="Confirm",
            ),
            step(
                "Confirm", "confirm", "confirm_change",
                {name: f"{{{{ Replace.{name} }}}}" for name in ("Left", "Names", "Report")},
                {}, onFailure="Abort", isEnd=True,
            ),
        ],
    ),
    "Faultlayer-Rollback": document(
        "Takes off functions exactly what Faultlayer put on, and keeps what their owner changed meanwhile. Give one of "
        "FunctionNames, ExecutionId and AllMarked. May be repeated; what could not be restored is named and fails the execution.",
        {
            "AutomationAssumeRole": ROLE_PARAMETER,
            "FunctionNames": FUNCTIONS,
            "ExecutionId": text("The attaching execution: every function it attached.", f"^$|^{UUID}$"),
            "AllMarked": {"type": "Boolean", "description": "Every function that this stack's layers are on.", "default": False},
            "DeleteMarks": {
                "type": "Boolean",
                "description": "Then delete all closed marks of the stack, before the stack is. Nothing may be attaching any more.",
                "default": False,
            },
            "Stack": STACK,
            **LAYERS,
        },
        ["Restore.Report"],
        [
            step(
                "Restore", "restore", "restore",
                {name: f"{{{{ {name} }}}}" for name in ("FunctionNames", "ExecutionId", "AllMarked", "DeleteMarks", "Stack", *LAYERS)},
                {"Report": "String", "Restored": "Integer", "Left": "Integer", "Names": "String"},
                maxAttempts=3, onFailure="Abort", nextStep="Confirm",
            ),
            step(
                "Confirm", "confirm", "confirm",
                {"Left": "{{ Restore.Left }}", "Names": "{{ Restore.Names }}", "Report": "{{ Restore.Report }}"},
                {}, onFailure="Abort", isEnd=True,
            ),
        ],
    ),
}  # fmt: skip
