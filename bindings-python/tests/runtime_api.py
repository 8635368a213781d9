"""One execution environment of Lambda, as small as a test needs it: the real awslambdaric in a process of its own,
served by a Runtime API on loopback. Owns the wire and the process; does not own timeouts, restarts or tables, which are
the lab's."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PATIENCE_S = 60.0
ARN = "arn:aws:lambda:eu-central-1:123456789012:function:hello"
# A host that nobody calls: with FAULTLAYER_TESTS_NOBODY set, every plan names it, and all of the tests must hold.
NOBODY = {"id": "nobody", "kind": "network", "rate": 1e-15, "target": {"host": ["nobody.example"]}, "effect": "refuse"}


def naming_nobody(variables: Mapping[str, str]) -> dict[str, str]:
    """With that host in their plan, where they have a plan with faults."""
    try:
        plan = json.loads(variables.get("FAULTLAYER_PLAN") or "")
        plan["faults"].append(NOBODY)
    except (ValueError, TypeError, KeyError, AttributeError):
        return dict(variables)
    return {**variables, "FAULTLAYER_PLAN": json.dumps(plan)}


@dataclass
class Answer:
    """What the client posted for one invocation, or that its process ended."""

    kind: str  # response, error, init_error, exit
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    request_id: str = ""
    exit_status: int | None = None

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def cause(self) -> Any:
        """The X-Ray cause of an error."""
        return json.loads(self.headers["lambda-runtime-function-xray-error-cause"])


class Environment:
    """`with Environment(python, [ric], code, "app.handler") as env: env.invoke({})`."""

    def __init__(
        self,
        python: str,
        path: list[Path],
        code: Path,
        handler: str,
        *,
        layer: Path | None = None,
        variables: Mapping[str, str] | None = None,
        timeout_s: float = 3.0,
    ) -> None:
        self.timeout_s = timeout_s
        self._pending: queue.Queue[tuple[str, bytes, dict[str, str]]] = queue.Queue()
        self._answers: queue.Queue[Answer] = queue.Queue()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._serve())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        shown = "faultlayer_layer.handler" if layer else handler
        env = {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "PYTHONPATH": os.pathsep.join(map(str, [code, *([layer / "python"] if layer else []), *path])),
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.server_port}",
            "AWS_LAMBDA_FUNCTION_NAME": "hello",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.12",
            "AWS_REGION": "eu-central-1",
            "LAMBDA_TASK_ROOT": str(code),
            "_HANDLER": shown,
            **({"FAULTLAYER_HANDLER": handler} if layer else {}),
            **(naming_nobody(variables or {}) if "FAULTLAYER_TESTS_NOBODY" in os.environ else variables or {}),
        }
        self.process = self.start(
            [python, "-m", "awslambdaric", shown],
            cwd=code,
            env={key: value for key, value in env.items() if value is not None},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._log = bytearray()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def start(self, command: list[str], **settings: Any) -> subprocess.Popen[bytes]:
        """Runs the client, which another language has another of."""
        return subprocess.Popen(command, **settings)

    def __enter__(self) -> Environment:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self.process.stdout and self.process.stdout.closed:
            # Its number may be another process's by now.
            return
        # The whole group: in an environment of several processes each of them holds the log open.
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._reader.join(PATIENCE_S)
        if self.process.stdout:
            self.process.stdout.close()
        self._server.shutdown()
        self._server.server_close()

    def invoke(
        self,
        event: Any = None,
        *,
        request_id: str | None = None,
        client_context: Any = None,
        arn: str = ARN,
        deadline_ms: int | None = None,
    ) -> Answer:
        """Sends one invocation and waits for what comes of it."""
        self.send(event, request_id=request_id, client_context=client_context, arn=arn, deadline_ms=deadline_ms)
        return self.answer()

    def send(
        self,
        event: Any = None,
        *,
        request_id: str | None = None,
        client_context: Any = None,
        arn: str = ARN,
        deadline_ms: int | None = None,
    ) -> None:
        """Puts one invocation where the client will fetch it."""
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        headers = {
            "Lambda-Runtime-Aws-Request-Id": request_id or str(uuid.uuid4()),
            "Lambda-Runtime-Deadline-Ms": str(deadline_ms or int((time.time() + self.timeout_s) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": arn,
            "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1",
        }
        if client_context is not None:
            headers["Lambda-Runtime-Client-Context"] = json.dumps(client_context)
        self._pending.put((headers["Lambda-Runtime-Aws-Request-Id"], body, headers))

    def answer(self) -> Answer:
        """The next thing the client says, or that it ended."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            try:
                return self._answers.get(timeout=0.02)
            except queue.Empty:
                if self.process.poll() is not None and self._answers.empty():
                    return Answer("exit", exit_status=self.process.returncode)
        raise TimeoutError("the runtime client said nothing")

    def log(self) -> str:
        """What the process wrote to stdout and stderr. Complete once it ended."""
        return self._log.decode()

    def records(self) -> list[dict[str, Any]]:
        """Faultlayer's records in the log."""
        lines = (line for line in self.log().splitlines() if line.startswith('{"timestamp"'))
        return [record for record in map(json.loads, lines) if record.get("source") == "faultlayer"]

    def _read(self) -> None:
        assert self.process.stdout
        while chunk := self.process.stdout.read1(65536):  # type: ignore[attr-defined]
            self._log += chunk

    def _serve(self) -> type[BaseHTTPRequestHandler]:
        pending, answers = self._pending, self._answers

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                # The end of a snapshot is answered at once.
                restored = self.path.endswith("/restore/next")
                _, body, headers = ("", b"", {}) if restored else pending.get()
                self.send_response(200)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                body = self._body()
                kind = self.path.rsplit("/", 1)[-1]
                kind = "init_error" if self.path.endswith("/init/error") else kind
                self.send_response(202)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")
                headers = {name.lower(): value for name, value in self.headers.items()}
                answers.put(Answer(kind, body, headers, self.path.rsplit("/", 2)[-2]))

            def _body(self) -> bytes:
                if "chunked" not in self.headers.get("Transfer-Encoding", ""):
                    return self.rfile.read(int(self.headers.get("Content-Length", 0)))
                body = bytearray()
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return bytes(body)

        return Handler
