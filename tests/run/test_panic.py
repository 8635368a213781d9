"""A panic inside the engine of each layer as it is shipped: the function runs untouched, and one record says so."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from function import COMMAND, ROOT, Function, answers, logged, outcomes

MACHINE = "arm64" if platform.machine() == "aarch64" else "x86_64"
SAMPLES = {
    "python": ("examples/python", "app.handler"),
    "node": ("examples/node", "index.handler"),
    "java": ("examples/java/target/classes", "example.Handler"),
}
UNTOUCHED = "the engine panicked, the function runs untouched"
# The engine reads the clock once at init, and for each call once to decide and once after the handler, except where it
# has panicked before; a record of its own takes one more.
PANICS = {
    "at init": ("1", ["ok", "ok", "ok"], "the engine panicked at init, nothing is injected"),
    "while two invocations are decided": ("2,4", ["ok", "ok", "error"], UNTOUCHED),
    "after the handler": ("3", ["ok", "error", "error"], UNTOUCHED),
}


@pytest.fixture(scope="session")
def broken_clock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A layer with a clock that can be made to fail."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("missing: a C compiler (cc)")
    folder = tmp_path_factory.mktemp("clock")
    library = str(folder / "broken_clock.so")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, str(ROOT / "tests/run/broken_clock.c")], check=True)
    return folder


@pytest.mark.parametrize("panic", PANICS)
@pytest.mark.parametrize("language", SAMPLES)
def test_a_panic_never_becomes_the_functions(function: Function, broken_clock: Path, language: str, panic: str) -> None:
    code, handler = SAMPLES[language]
    layer = ROOT / f"dist/layers/faultlayer-{language}-{MACHINE}.zip"
    if not (layer.is_file() and Path(ROOT, code).is_dir()):
        pytest.skip(f"the layer and the sample of {language} are not built: make layers builds them")
    at, expected, message = PANICS[panic]
    plan = function.plan({"id": "boom", "kind": "error", "rate": 1, "type": "Error", "when": "after"})
    command = [str(COMMAND), "run", "--runtime", language, "--code", code, "--handler", handler, "--plan", plan]
    preload = [
        "--layer",
        str(broken_clock),
        "--env",
        "LD_PRELOAD=/opt/broken_clock.so",
        "--env",
        f"BROKEN_CLOCK_AT={at}",
    ]
    options = ["--json", "--logs", "-n", str(len(expected)), "--timeout", "1m", "--memory", "512"]
    done = subprocess.run([*command, *preload, *options], capture_output=True, encoding="utf-8", cwd=ROOT)
    if "cannot build the runtime interface client" in done.stderr:
        pytest.skip(done.stderr)
    report = json.loads(done.stdout)
    assert outcomes(report) == expected, done.stderr
    # The command counts what Faultlayer says of itself as trouble.
    assert done.returncode == 1
    assert [record["message"] for record in own_records(report)] == [message]


class Answering(BaseHTTPRequestHandler):
    """DynamoDB, as far as a PutItem's answer goes."""

    asked = 0

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        type(self).asked += 1
        self.send_response(200)
        self.send_header("content-type", "application/x-amz-json-1.0")
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def dynamodb() -> Iterator[tuple[str, type[Answering]]]:
    """Where it is, and what counts how often it was asked."""
    counted = type("Counted", (Answering,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), counted) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", counted
        server.shutdown()
        thread.join()


BOTO3 = ROOT / ".cache/dynamodb/layer"
JAVA_CALLS = ROOT / "bindings-java/calls/target/classes"
CALLERS = {
    "python": """
        import os, boto3
        from botocore.config import Config
        config = Config(retries={"total_max_attempts": 1})
        keys = {"aws_access_key_id": "AKIA", "aws_secret_access_key": "secret", "region_name": "eu-west-1"}
        client = boto3.client("dynamodb", endpoint_url=os.environ["URL"], config=config, **keys)
        def handler(event, context):
            try:
                client.put_item(TableName="orders", Item={"id": {"S": "1"}})
            except client.exceptions.ClientError as error:
                return {"outcome": error.response["Error"]}
            return {"outcome": "ok"}
        """,
    "node": """
        const http = require("node:http");
        const headers = {
          authorization: "AWS4-HMAC-SHA256 Credential=AKIA/20261126/eu-west-1/dynamodb/aws4_request, Signature=0",
          "x-amz-target": "DynamoDB_20120810.PutItem",
          "content-type": "application/x-amz-json-1.0",
          "content-length": 2,
        };
        exports.handler = () => new Promise((resolve, reject) => {
          const sent = http.request(process.env.URL, { method: "POST", headers, agent: false }, (answer) => {
            answer.resume().on("end", () => resolve({ outcome: answer.statusCode === 200 ? "ok" : answer.statusCode }));
          });
          sent.on("error", reject).end("{}");
        });
        """,
}


@pytest.mark.parametrize("language", SAMPLES)
def test_a_panic_while_a_call_is_looked_at_lets_it_go_out(
    function: Function, broken_clock: Path, dynamodb: tuple[str, type[Answering]], language: str
) -> None:
    url, counted = dynamodb
    layer = ROOT / f"dist/layers/faultlayer-{language}-{MACHINE}.zip"
    needed = {"python": BOTO3, "java": JAVA_CALLS}.get(language, layer)
    if not (layer.is_file() and needed.exists()):
        pytest.skip(f"the layer or what calls AWS in {language} is not there: make prepare-aws and make demo bring it")
    if language == "java":
        code, handler = JAVA_CALLS, "calls.Handler"
    else:
        code, handler = function.folder, "app.handler"
        function.code(CALLERS[language], "app.py" if language == "python" else "app.js")
    fault = {"id": "f", "kind": "aws_call", "rate": 1, "target": {"service": ["dynamodb"]}, "error": "Refused"}
    command = [str(COMMAND), "run", "--runtime", language, "--code", str(code), "--handler", handler]
    for variable in ("LD_PRELOAD=/opt/broken_clock.so", "BROKEN_CLOCK_AT=3", f"URL={url}"):
        command += ["--env", variable]
    for more in (broken_clock, *([BOTO3] if language == "python" else [])):
        command += ["--layer", str(more)]
    events = function.events({"client": "url", "service": "dynamodb"})
    command += ["--plan", function.plan(fault), "--event", events]
    command += ["--json", "--logs", "-n", "2", "--timeout", "1m", "--memory", "512"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", cwd=ROOT)
    if "cannot build the runtime interface client" in done.stderr:
        pytest.skip(done.stderr)
    report = json.loads(done.stdout)
    assert outcomes(report) == ["ok", "ok"], done.stderr
    first, second = (answer["outcome"] for answer in answers(report))
    assert first == "ok"
    assert second != "ok"
    assert counted.asked == 1
    assert [record["message"] for record in own_records(report)] == [UNTOUCHED]


def own_records(report: dict[str, Any]) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in logged(report) if '"source":"faultlayer"' in line]
    return [line for line in lines if "fault" not in line]
