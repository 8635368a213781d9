"""The Runtime API for one run of a client: hands out the events, keeps what comes back, then ends the client."""

from __future__ import annotations

import http.server
import json
import threading
import time
from typing import Any


class RuntimeApi(http.server.ThreadingHTTPServer):
    """On a free loopback port; `done` is set once the client asks for an event that is not there."""

    daemon_threads = True

    def __init__(self, events: list[Any]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.events = list(enumerate(events))
        self.said: list[dict[str, Any]] = []
        self.done = threading.Event()
        self.handed_out = 0.0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class Handler(http.server.BaseHTTPRequestHandler):
    """Lambda's paths, as far as a client of one function uses them."""

    server: RuntimeApi
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Nothing: the test says what matters."""

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        # Native clients crash without it.
        self.send_header("Content-Type", "application/json")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        api = self.server
        if not api.events:
            api.done.set()
            time.sleep(600)
            return
        number, event = api.events.pop(0)
        self.answer(
            200,
            json.dumps(event).encode(),
            Lambda_Runtime_Aws_Request_Id=f"00000000-0000-4000-8000-{number:012}",
            Lambda_Runtime_Deadline_Ms=str(int((time.time() + 3) * 1000)),
            Lambda_Runtime_Invoked_Function_Arn="arn:aws:lambda:eu-west-1:123456789012:function:sample",
        )
        api.handed_out = time.monotonic()

    def do_POST(self) -> None:
        api = self.server
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"null")
        said = {"took_ms": (time.monotonic() - api.handed_out) * 1000}
        if self.path.endswith("/response"):
            said["answer"] = body
        else:
            said["error"], said["message"] = body["errorType"], body["errorMessage"]
        api.said.append(said)
        self.answer(202, b"{}")
