"""The shipped documents put the shipped layers on functions and take them off again; real code runs under faults in between."""

from __future__ import annotations

import base64
import io
import json
import platform
import re
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
from client import ROLE, Lab, archive, until

ROOT = Path(__file__).resolve().parents[2]
ARCH = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
PLAN = {
    "version": 1,
    "experiment": "end-to-end",
    "faults": [
        {
            "id": "boom",
            "kind": "error",
            "rate": 1,
            "type": {"python": "ConnectionError", "node": "RangeError", "java": "java.lang.IllegalStateException"},
            "message": "on purpose",
        }
    ],
}
JAVA = """
package app;
public class Main {
    public static java.util.Map<String, Object> handle(java.util.Map<String, Object> event) {
        return java.util.Map.of("n", ((Number) event.get("n")).intValue() + 1, "own", System.getProperty("own"));
    }
}
"""
NODE = "exports.handler = async (event) => ({ n: event.n + 1, own: process.env.OWN });\n"
PYTHON = "import own, os\ndef handler(event, context):\n    return {'n': event['n'] + 1, 'own': own.VALUE}\n"


def pack(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as out:
        for name, content in files.items():
            out.writestr(name, content)
    return buffer.getvalue()


def version(command: list[str]) -> str:
    """The major version of a tool, which is there or named as missing."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.fail(f"missing: `{command[0]}`")
    found = re.search(r"(\d+)(\.(\d+))?", done.stdout + done.stderr)
    assert found
    return found[0] if command[0].startswith("python") else found[1]


def python(_folder: Path) -> dict[str, Any]:
    # Its own module lies in a folder that only PYTHONPATH names: managed Python adds no layer then.
    code = archive(app=PYTHON, lib__own="VALUE = 'yes'\n")
    variables = {"PYTHONPATH": "/var/task/lib", "EMPTY": "", "OWN": "{{ braces }}"}
    runtime = f"python{version(['python3', '--version'])}"
    return {"Runtime": runtime, "Handler": "app.handler", "Code": {"ZipFile": code}, "Environment": {"Variables": variables}}


def node(_folder: Path) -> dict[str, Any]:
    variables = {"NODE_OPTIONS": "--no-deprecation", "OWN": "yes"}
    code = pack({"src/app.js": NODE.encode()})
    runtime = f"nodejs{version(['node', '--version'])}.x"
    return {"Runtime": runtime, "Handler": "src/app.handler", "Code": {"ZipFile": code}, "Environment": {"Variables": variables}}


def java(folder: Path) -> dict[str, Any]:
    source = folder / "Main.java"
    source.write_text(JAVA)
    runtime = f"java{version(['javac', '-version'])}"
    subprocess.run(["javac", "-d", str(folder / "out"), str(source)], check=True)
    code = pack({"app/Main.class": (folder / "out/app/Main.class").read_bytes()})
    variables = {"JAVA_TOOL_OPTIONS": "-Down=yes"}
    return {"Runtime": runtime, "Handler": "app.Main::handle", "Code": {"ZipFile": code}, "Environment": {"Variables": variables}}


def layers(lab: Lab) -> dict[str, str]:
    """The shipped layers of this machine's architecture, published; by the documents' parameters."""
    found = {}
    for language in ("python", "node", "java"):
        path = ROOT / "dist" / "layers" / f"faultlayer-{language}-{ARCH}.zip"
        if not path.exists():
            pytest.fail(f"missing: {path.relative_to(ROOT)}; `make layers` builds it")
        made = lab.functions.publish_layer_version(LayerName=f"faultlayer-{language}", Content={"ZipFile": path.read_bytes()})
        suffix = "Arm64" if ARCH == "arm64" else "X8664"
        found[f"{language.capitalize()}Layer{suffix}"] = made["LayerVersionArn"]
    return found


def documents(lab: Lab) -> None:
    for path in sorted((ROOT / "ssm-documents").glob("Faultlayer-*.json")):
        content = path.read_text()
        lab.ssm.create_document(Name=path.stem, DocumentType="Automation", DocumentFormat="JSON", Content=content)


def execute(lab: Lab, document: str, **parameters: list[str]) -> Any:
    view = lab.ended(lab.start(document, AutomationAssumeRole=[ROLE], **parameters))
    story = [(step["StepName"], step["StepStatus"], step.get("FailureMessage")) for step in view["StepExecutions"]]
    assert view["AutomationExecutionStatus"] == "Success", story
    return view


def invoke(lab: Lab) -> tuple[Any, str | None, str]:
    answer = lab.functions.invoke(FunctionName="one", Payload=b'{"n": 1}', LogType="Tail")
    return json.load(answer["Payload"]), answer.get("FunctionError"), base64.b64decode(answer["LogResult"]).decode()


@pytest.mark.parametrize("language", [python, node, java])
def test_attach_invoke_roll_back(lab: Lab, tmp_path: Path, language: Any) -> None:
    ours = layers(lab)
    documents(lab)
    own = [lab.layer("own-one"), lab.layer("own-two")]
    architecture = {"x86_64": "x86_64"}.get(ARCH, "arm64")
    before = lab.function(
        **language(tmp_path), Layers=own, Tags={"team": "owner"}, Timeout=30, MemorySize=512, Architectures=[architecture]
    )
    healthy = {"n": 2, "own": "yes"}
    assert invoke(lab)[:2] == (healthy, None)

    execute(lab, "Faultlayer-Attach", FunctionNames=["one"], Plan=[json.dumps(PLAN)], **{key: [arn] for key, arn in ours.items()})
    attached = lab.settled()
    assert [layer["Arn"] for layer in attached["Layers"]][:2] == own
    assert attached["Layers"][2]["Arn"] in ours.values()
    answer, error, log = invoke(lab)
    assert error == "Unhandled"
    assert answer["errorMessage"] == "on purpose"
    assert answer["errorType"].rsplit(".", 1)[-1] in {"ConnectionError", "RangeError", "IllegalStateException"}
    records = [json.loads(line) for line in log.splitlines() if line.startswith("{") and '"source":"faultlayer"' in line]
    assert [(record["experiment"], record["fault"], record["action"]) for record in records] == [
        ("end-to-end", "boom", "injected")
    ]

    execute(lab, "Faultlayer-Rollback", FunctionNames=["one"])
    after = lab.settled()
    assert after["LastModified"] >= before["LastModified"]
    changes = {"RevisionId", "LastModified"}
    assert {key: value for key, value in after.items() if key not in changes} == {
        key: value for key, value in before.items() if key not in changes
    }
    assert lab.functions.list_tags(Resource=after["FunctionArn"])["Tags"] == {"team": "owner"}
    assert invoke(lab)[:2] == (healthy, None)


def test_an_experiment_of_all_languages_holds_and_restores_by_itself(lab: Lab, tmp_path: Path) -> None:
    ours = layers(lab)
    documents(lab)
    made = {"python": python, "node": node, "java": java}
    before = {}
    for name, language in made.items():
        (tmp_path / name).mkdir()
        before[name] = lab.function(name, **language(tmp_path / name), Timeout=30, MemorySize=512, Architectures=[ARCH])
    lab.settings(speed=1)
    parameters = {key: [arn] for key, arn in ours.items()}
    execution = lab.start(
        "Faultlayer-Experiment",
        AutomationAssumeRole=[ROLE],
        FunctionNames=list(made),
        Plan=[json.dumps(PLAN)],
        DurationMinutes=["1"],
        **parameters,
    )

    def holding(view: Any) -> bool:
        assert "ExecutionEndTime" not in view, view
        return any(step["StepName"] == "Hold" and step["StepStatus"] == "InProgress" for step in view["StepExecutions"])

    until(lambda: lab.execution(execution), holding)
    for name in made:
        lab.settled(name)
        answer = lab.functions.invoke(FunctionName=name, Payload=b'{"n": 1}')
        assert json.load(answer["Payload"])["errorMessage"] == "on purpose", name
    # The owner has seen enough: stopping the experiment restores as well.
    lab.ssm.stop_automation_execution(AutomationExecutionId=execution)
    assert lab.ended(execution)["AutomationExecutionStatus"] == "Cancelled"
    until(
        lambda: lab.ssm.describe_automation_executions()["AutomationExecutionMetadataList"],
        lambda rows: all("ExecutionEndTime" in row for row in rows),
    )
    for name in made:
        after = lab.settled(name)
        for config in (before[name], after):
            del config["RevisionId"], config["LastModified"]
        assert after == before[name]
        assert json.load(lab.functions.invoke(FunctionName=name, Payload=b'{"n": 1}')["Payload"])["n"] == 2
