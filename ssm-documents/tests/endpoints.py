"""Starts what the scripts are tested against, and fills the gaps those tools have."""

import contextlib
import json
import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest


@contextlib.contextmanager
def moto() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def reset_moto(url: str) -> None:
    urllib.request.urlopen(urllib.request.Request(f"{url}/moto-api/reset", method="POST")).close()


def role() -> str:
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
    iam = boto3.client("iam")
    return str(iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(policy))["Role"]["Arn"])


# Calls moto does not know, with the answer of an account that has none of it.
GAPS = {"ListProvisionedConcurrencyConfigs": {"ProvisionedConcurrencyConfigs": []}}


def fill_gaps(monkeypatch: pytest.MonkeyPatch, gaps: dict[str, Any] = GAPS) -> None:
    """Answers the calls in `gaps` before they are sent, for every client made from now on."""
    make = boto3.client

    class Response:
        status_code = 200
        headers: dict[str, str] = {}

    def client(*arguments: Any, **more: Any) -> Any:
        made = make(*arguments, **more)

        def answer(model: Any, **_: Any) -> Any:
            return (Response(), dict(gaps[model.name])) if model.name in gaps else None

        made.meta.events.register("before-call", answer)
        return made

    monkeypatch.setattr(boto3, "client", client)


def play_automation(monkeypatch: pytest.MonkeyPatch, executions: dict[str, dict[str, Any]]) -> None:
    """Answers GetAutomationExecution for executions whose steps a test calls itself; any other goes to the endpoint."""
    make = boto3.client

    class Response:
        status_code = 200
        headers: dict[str, str] = {}

    def client(*arguments: Any, **more: Any) -> Any:
        made = make(*arguments, **more)

        def answer(model: Any, params: dict[str, Any], **_: Any) -> Any:
            if model.name != "GetAutomationExecution":
                return None
            found = executions.get(json.loads(params["body"])["AutomationExecutionId"])
            return (Response(), {"AutomationExecution": dict(found)}) if found else None

        made.meta.events.register("before-call.ssm", answer)
        return made

    monkeypatch.setattr(boto3, "client", client)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str, seconds: float, process: "subprocess.Popen[bytes]") -> None:
    """Waits until a server answers; says so where it does not."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args!r} ended with {process.returncode}")
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"{url} did not answer in {seconds} s")


@contextlib.contextmanager
def localstack(python: Path, folder: Path) -> Iterator[str]:
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "LOCALSTACK_HOST": f"127.0.0.1:{port}",
        "FILESYSTEM_ROOT": str(folder),
        "TMPDIR": str(folder),
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "EAGER_SERVICE_LOADING": "0",
        "LAMBDA_KEEPALIVE_MS": "0",
    }
    with open(folder / "log", "wb") as log:
        command = [str(python), str(Path(__file__).with_name("localstack_main.py"))]
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)
        try:
            answers(f"http://127.0.0.1:{port}/_localstack/health", 60, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Lab:
    """`faultlayer lab` as a process, and its control endpoint."""

    def __init__(self, binary: Path, folder: Path) -> None:
        with open(folder / "log", "wb") as log:
            command = [str(binary), "lab", "--state", str(folder), "--json"]
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, cwd=folder)
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the lab did not start: {(folder / 'log').read_text()}")
        self.about = json.loads(line)
        self.url = str(self.about["endpoint"])

    def request(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_lab{path}", data=data, method=method, headers={"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"{}")

    def post(self, path: str, body: Any = None) -> Any:
        return self.request("POST", path, body or {})

    def get(self, path: str) -> Any:
        return self.request("GET", path)

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
