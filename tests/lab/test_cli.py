"""The AWS command line against the lab, without a change but the endpoint."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import commandline
from client import Lab, archive
from documents import document, script


def aws(lab: Lab, *arguments: str, raw: bool = False) -> Any:
    """What a command prints, as JSON unless it is to be as it is."""
    environment = {
        "PATH": os.environ["PATH"], "AWS_ENDPOINT_URL": lab.url, "AWS_DEFAULT_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "lab",
        "AWS_SECRET_ACCESS_KEY": "lab", "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_PAGER": "",
    }  # fmt: skip
    done = subprocess.run(
        [commandline.aws(), *arguments, *([] if raw else ["--output", "json"])],
        capture_output=True, text=True, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    if raw:
        return done.stdout
    return json.loads(done.stdout) if done.stdout.strip() else None


def test_the_command_line_works_unchanged(lab: Lab, tmp_path: Path) -> None:
    code, out, content = tmp_path / "code.zip", tmp_path / "out.json", tmp_path / "doc.json"
    code.write_bytes(archive(app="def handler(event, context):\n    return event\n"))
    content.write_text(json.dumps(document(script("return {'x': events['x']}", payload={"x": "{{ X }}"}, outputs={"x": "String"}),
                                           parameters={"X": {"type": "String"}}, outputs=["first.x"])))  # fmt: skip
    assert aws(lab, "sts", "get-caller-identity")["Account"] == "123456789012"
    aws(lab, "lambda", "create-function", "--function-name", "one", "--runtime", "python3.12", "--handler", "app.handler",
        "--role", "arn:aws:iam::123456789012:role/r", "--zip-file", f"fileb://{code}", "--tags", "a=b")  # fmt: skip
    aws(lab, "lambda", "wait", "function-active-v2", "--function-name", "one")
    done = aws(lab, "lambda", "invoke", "--function-name", "one", "--payload", '{"n": 1}', "--log-type", "Tail", str(out))
    assert (done["StatusCode"], json.loads(out.read_text())) == (200, {"n": 1})
    aws(lab, "lambda", "update-function-configuration", "--function-name", "one", "--environment", "Variables={AA=1}")
    aws(lab, "lambda", "wait", "function-updated-v2", "--function-name", "one")
    assert aws(lab, "lambda", "get-function-configuration", "--function-name", "one")["Environment"] == {"Variables": {"AA": "1"}}
    found = aws(lab, "resourcegroupstaggingapi", "get-resources", "--tag-filters", "Key=a,Values=b")
    assert found["ResourceTagMappingList"][0]["ResourceARN"].endswith(":function:one")
    aws(lab, "ssm", "create-document", "--name", "Doc", "--document-type", "Automation", "--content", f"file://{content}")
    started = aws(lab, "ssm", "start-automation-execution", "--document-name", "Doc", "--parameters", "X=hello")
    view = lab.ended(started["AutomationExecutionId"])
    assert view["Outputs"] == {"first.x": ["hello"]}
    steps = aws(lab, "ssm", "describe-automation-step-executions", "--automation-execution-id", started["AutomationExecutionId"])
    assert [step["StepStatus"] for step in steps["StepExecutions"]] == ["Success"]
