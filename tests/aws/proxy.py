"""A proxy in front of moto, which counts the attempts it sees, and can answer them on the wire as the engine would:
what the SDK makes of a real server's bytes is what it must make of ours."""

from __future__ import annotations

import http.client
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from faultlayer._native import Calls, Host

# Said by a server of its own accord, or for this connection alone.
HOP = {"connection", "transfer-encoding", "keep-alive"}


class Proxy:
    """`url` is an endpoint for any service; `attempts` counts what reaches it."""

    def __init__(self, port: int) -> None:
        self.attempts = 0
        self.calls: Calls | None = None
        self._session: Any = None
        self.operation = ""
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *_: object) -> None:
                pass

            def handle_one_request(self) -> None:
                # A client that gave up waiting is gone before its answer.
                try:
                    super().handle_one_request()
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def do(self) -> None:
                if self.headers.get("Expect") == "100-continue":
                    self.send_response_only(100)
                    self.end_headers()
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                proxy.attempts += 1
                status, headers, answer = proxy.injected(self) or proxy.passed(self, body, port)
                self.send_response_only(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(answer)

            do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = do

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def answer_by(self, plan: dict[str, Any] | None, operation: str = "") -> None:
        """From now on the calls of `operation` are answered here as the engine answers them under `plan`."""
        self.attempts, self.operation, self.calls = 0, operation, None
        if plan is not None:
            self._session = Host(json.dumps(plan), lambda _: None).begin_calls()
            self._session.before()
            self.calls = self._session.calls()

    def injected(self, request: BaseHTTPRequestHandler) -> tuple[int, list[tuple[str, str]], bytes] | None:
        if self.calls is None:
            return None
        headers = request.headers
        delay_us, answer = self.calls.met(
            request.command,
            self.url + request.path,
            authorization=headers.get("Authorization"),
            target=headers.get("X-Amz-Target"),
            content_type=headers.get("Content-Type"),
            retry=headers.get("amz-sdk-request"),
            operation=self.operation,
        )
        time.sleep(delay_us / 1e6)
        return answer

    def passed(
        self, request: BaseHTTPRequestHandler, body: bytes, port: int
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        if request.headers.get("Smithy-Protocol") == "rpc-v2-cbor":
            # moto does not speak it: an answer without members.
            headers = {"Smithy-Protocol": "rpc-v2-cbor", "Content-Type": "application/cbor", "Content-Length": "1"}
            return 200, [*headers.items()], b"\xa0"
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP | {"expect"}}
        connection.request(request.command, request.path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in HOP | {"content-length"}]
        length = answer.getheader("Content-Length") if request.command == "HEAD" else str(len(content))
        return answer.status, [*kept, ("Content-Length", length or "0")], content

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
