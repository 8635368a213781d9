"""Documents for the tests."""

from __future__ import annotations

from typing import Any

from client import ROLE


def script(
    body: str, name: str = "first", payload: Any = None, outputs: dict[str, str] | None = None, **more: Any
) -> dict[str, Any]:
    """A step that runs a Python body; `outputs` maps names to types, each selected from the payload by its name."""
    text = "import boto3\ndef main(events, context):\n" + "".join(f"    {line}\n" for line in body.splitlines())
    inputs = {"Runtime": "python3.11", "Handler": "main", "Script": text}
    if payload is not None:
        inputs["InputPayload"] = payload
    declared = [{"Name": key, "Selector": f"$.Payload.{key}", "Type": kind} for key, kind in (outputs or {}).items()]
    return {"name": name, "action": "aws:executeScript", "inputs": inputs, "outputs": declared, **more}


def document(
    *steps: dict[str, Any], parameters: dict[str, Any] | None = None, outputs: list[str] | None = None
) -> dict[str, Any]:
    """A document of these steps under the tests' role."""
    role = {"AutomationAssumeRole": {"type": "AWS::IAM::Role::Arn", "default": ROLE}}
    return {
        "schemaVersion": "0.3",
        "description": "a test",
        "assumeRole": "{{ AutomationAssumeRole }}",
        "parameters": {**role, **(parameters or {})},
        "mainSteps": list(steps),
        "outputs": outputs or [],
    }


def mark(name: str, path: str, **more: Any) -> dict[str, Any]:
    """A step that leaves a trace: a parameter of this name."""
    inputs = {"Service": "ssm", "Api": "PutParameter", "Name": path, "Type": "String", "Value": "x", "Overwrite": True}
    return {"name": name, "action": "aws:executeAwsApi", "inputs": inputs, **more}


def sleep(name: str, duration: str, **more: Any) -> dict[str, Any]:
    """A step that sleeps."""
    return {"name": name, "action": "aws:sleep", "inputs": {"Duration": duration}, **more}
