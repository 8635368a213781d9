"""A lab's process, AWS clients for it whose answers are checked against botocore's models, and its own endpoint."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.model import OperationModel, Shape

ROLE = "arn:aws:iam::123456789012:role/automation"
HANDLER = "def handler(event, context):\n    return event\n"


def command() -> str:
    """The command under test: `FAULTLAYER`, or what a build left in the repository's `target`."""
    target = Path(__file__).resolve().parents[2] / "target"
    named = [os.environ.get("FAULTLAYER"), str(target / "release/faultlayer"), str(target / "debug/faultlayer")]
    for path in named:
        if path and Path(path).exists():
            return path
    pytest.fail("the command is missing: `make cli` builds it, or set FAULTLAYER to it")


def archive(**files: str) -> bytes:
    """A zip of Python modules, `__` in a name for a slash."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as out:
        for name, text in files.items():
            out.writestr(f"{name.replace('__', '/')}.py", text)
    return buffer.getvalue()


def misfits(shape: Shape, value: Any, path: str = "$") -> Iterator[str]:
    """What an answer has that its model does not know."""
    kind = shape.type_name
    if kind == "structure":
        if not isinstance(value, dict):
            yield f"{path}: not an object"
            return
        for name, inner in value.items():
            member = shape.members.get(name)
            if member is None:
                yield f"{path}.{name}: not in the model"
            elif inner is None:
                yield f"{path}.{name}: null"
            else:
                yield from misfits(member, inner, f"{path}.{name}")
        yield from (f"{path}.{name}: missing" for name in shape.metadata.get("required", []) if name not in value)
    elif kind == "list":
        for index, item in enumerate(value):
            yield from misfits(shape.member, item, f"{path}[{index}]")
    elif kind == "map":
        for name, item in value.items():
            yield from misfits(shape.value, item, f"{path}.{name}")
    elif kind == "string":
        choices = shape.metadata.get("enum")
        if not isinstance(value, str) or (choices and value not in choices):
            yield f"{path}: {value!r}"
    elif (kind in {"integer", "long"} and type(value) is not int) or (kind == "boolean" and not isinstance(value, bool)):
        yield f"{path}: {value!r}"


def check(model: OperationModel, response_dict: dict[str, Any], **_rest: Any) -> None:
    """Hold an answer against its operation's output."""
    if response_dict["status_code"] >= 300 or model.has_streaming_output or model.output_shape is None:
        return
    if model.service_model.metadata["protocol"] not in {"json", "rest-json"} or not response_dict["body"]:
        return
    found = list(misfits(model.output_shape, json.loads(response_dict["body"])))
    assert not found, f"{model.name}: {found}"


class Lab:
    """A running `faultlayer lab`."""

    def __init__(self, state: Path, *arguments: str) -> None:
        self.state = state
        environment = {"FAULTLAYER_LAB_PYTHON": sys.executable, **os.environ, "AWS_REGION": "eu-central-1"}
        self.process = subprocess.Popen(
            [command(), "lab", "--state", str(state), *arguments], stdout=subprocess.PIPE, text=True, env=environment
        )
        assert self.process.stdout is not None
        self.first_line = self.process.stdout.readline().strip()
        self.url = json.loads(self.first_line)["endpoint"] if "--json" in arguments else self.first_line
        self.clients: dict[tuple[str, int, bool], Any] = {}

    def client(self, service: str, attempts: int = 1, *, validate: bool = True) -> Any:
        """A boto3 client; without retries unless asked for, and with boto3's own checks of requests unless not."""
        key = (service, attempts, validate)
        if key not in self.clients:
            self.clients[key] = self.made(service, {"AccessKeyId": "lab", "SecretAccessKey": "lab"}, attempts, validate)
        return self.clients[key]

    def acting(self, role: str, service: str) -> Any:
        """A client for a service in the name of a role."""
        answer = self.client("sts").assume_role(RoleArn=f"arn:aws:iam::123456789012:role/{role}", RoleSessionName="test")
        return self.made(service, answer["Credentials"])

    def made(self, service: str, keys: dict[str, str], attempts: int = 1, validate: bool = True) -> Any:
        """A new client with these keys."""
        client = boto3.client(
            service,
            endpoint_url=self.url,
            region_name="eu-central-1",
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys.get("SessionToken"),
            config=Config(
                retries={"total_max_attempts": attempts, "mode": "standard"}, read_timeout=30, parameter_validation=validate
            ),
        )
        client.meta.events.register("before-parse.*", lambda operation_model, **rest: check(operation_model, **rest))
        return client

    @property
    def functions(self) -> Any:
        return self.client("lambda")

    @property
    def ssm(self) -> Any:
        return self.client("ssm")

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the lab's own endpoint."""
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/_lab{path}", method=method, data=data)) as answer:
            return json.load(answer)

    def settings(self, **changes: float | str) -> None:
        self.ask("POST", "/settings", changes)

    def emptied(self, **changes: float | str) -> Lab:
        """The lab as if new, without rates, with these settings."""
        self.ask("POST", "/reset")
        self.settings(**{"rates": 0, "cancel_limit_s": 120, "poll_ms": 20, "permissions": "known", **changes})
        return self

    def hook(self, do: str | list[str], nth: int = 1, times: int = 1, **rest: Any) -> int:
        """Set a hook."""
        error = {"error": rest.pop("error")} if "error" in rest else {}
        return int(self.ask("POST", "/hooks", {"match": rest, "nth": nth, "times": times, "do": do, **error})["id"])

    def calls(self, execution: str) -> list[dict[str, Any]]:
        return list(self.ask("GET", f"/calls?execution={execution}")["calls"])

    def function(self, name: str = "one", **more: Any) -> Any:
        """Make a function and wait until it is active."""
        given: dict[str, Any] = {"Runtime": "python3.12", "Handler": "app.handler", "Role": "arn:aws:iam::123456789012:role/r"}
        given.update({"Code": {"ZipFile": archive(app=HANDLER)}, **more})
        self.functions.create_function(FunctionName=name, **given)
        return self.settled(name)

    def settled(self, name: str = "one") -> Any:
        """The configuration of a function, once no update is in progress."""
        return until(
            lambda: self.functions.get_function(FunctionName=name)["Configuration"],
            lambda config: config["LastUpdateStatus"] != "InProgress",
        )

    def layer(self, name: str = "layer", **files: str) -> str:
        content = {"ZipFile": archive(**(files or {"python__thing": "x = 1\n"}))}
        return str(self.functions.publish_layer_version(LayerName=name, Content=content)["LayerVersionArn"])

    def run(self, document: dict[str, Any], name: str = "Document", **parameters: list[str]) -> str:
        """Register a document and start it; the execution's id."""
        self.ssm.create_document(Name=name, DocumentType="Automation", DocumentFormat="JSON", Content=json.dumps(document))
        return self.start(name, **parameters)

    def start(self, name: str = "Document", **parameters: list[str]) -> str:
        given = {"Parameters": parameters} if parameters else {}
        return str(self.ssm.start_automation_execution(DocumentName=name, **given)["AutomationExecutionId"])

    def execution(self, execution: str) -> Any:
        return self.ssm.get_automation_execution(AutomationExecutionId=execution)["AutomationExecution"]

    def ended(self, execution: str) -> Any:
        """An execution once it has ended."""
        return until(lambda: self.execution(execution), lambda view: "ExecutionEndTime" in view)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(20)


def until(read: Callable[[], Any], holds: Callable[[Any], bool], limit: float = 120) -> Any:
    """Read again and again until something holds; seldom where that takes long, since each look takes processor time."""
    began = time.monotonic()
    while True:
        value = read()
        if holds(value):
            return value
        waited = time.monotonic() - began
        assert waited < limit, f"still {value}"
        time.sleep(min(0.25, max(0.02, waited / 20)))


def statuses(view: Any) -> dict[str, str]:
    """The status of each step."""
    return {step["StepName"]: step["StepStatus"] for step in view["StepExecutions"]}


def refused(work: Callable[[], Any]) -> tuple[str, int, str]:
    """The code, status and message of a refusal."""
    from botocore.exceptions import ClientError

    with pytest.raises(ClientError) as caught:
        work()
    answer = caught.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Message"]
