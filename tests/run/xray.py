"""Who takes what functions send to the X-Ray daemon: a socket, or AWS's daemon before a server in X-Ray's place."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol

HEADER = '{"format":"json","version":1}\n'
DAEMON = os.environ.get("FAULTLAYER_XRAY_DAEMON") or shutil.which("xray")
PATIENCE_S = 20


class Receiver(Protocol):
    address: str

    def segments(self, count: int) -> list[dict[str, Any]]:
        """The documents that arrived, at least so many."""


class Datagrams:
    """A socket in the daemon's place. What a function has sent is in its queue once the function has answered."""

    def __init__(self, own: socket.socket) -> None:
        self.own = own
        self.address = "{}:{}".format(*own.getsockname())

    def segments(self, count: int) -> list[dict[str, Any]]:
        found = []
        while True:
            try:
                datagram = self.own.recv(65536).decode()
            except BlockingIOError:
                break
            assert datagram.startswith(HEADER)
            found.append(json.loads(datagram.removeprefix(HEADER)))
        assert len(found) >= count
        return found


@contextmanager
def datagrams() -> Iterator[Datagrams]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.bind(("127.0.0.1", 0))
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        own.setblocking(False)
        yield Datagrams(own)


class XRay(BaseHTTPRequestHandler):
    """Takes PutTraceSegments as X-Ray does; the daemon's telemetry is taken and forgotten."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/TraceSegments":
            self.server.segments.extend(body["TraceSegmentDocuments"])  # type: ignore[attr-defined]
        answer = b'{"UnprocessedTraceSegments":[]}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


class Handed:
    """What the daemon handed on."""

    def __init__(self, address: str, taken: list[str]) -> None:
        self.address = address
        self.taken = taken

    def segments(self, count: int) -> list[dict[str, Any]]:
        end = time.monotonic() + PATIENCE_S
        while len(self.taken) < count:
            assert time.monotonic() < end, f"{len(self.taken)} of {count} documents came through the daemon"
            time.sleep(0.05)
        return [json.loads(document) for document in self.taken]


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def aws(daemon: str, folder: Path) -> Iterator[Handed]:
    """AWS's own daemon."""
    with ThreadingHTTPServer(("127.0.0.1", 0), XRay) as server:
        server.segments = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        config = folder / "xray.yaml"
        config.write_text(f"Endpoint: http://127.0.0.1:{server.server_port}\nVersion: 2\n", encoding="utf-8")
        address = f"127.0.0.1:{free_port(socket.SOCK_DGRAM)}"
        command = [daemon, "-c", str(config), "-o", "-n", "us-east-1", "-l", "debug", "-f", str(folder / "xray.log")]
        ports = ["-b", address, "-t", f"127.0.0.1:{free_port(socket.SOCK_STREAM)}"]
        keys = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none", "HOME": str(folder)}
        process = subprocess.Popen([*command, *ports], env=keys, cwd=folder)
        try:
            log = folder / "xray.log"
            end = time.monotonic() + PATIENCE_S
            while not (log.is_file() and "Starting proxy http server" in log.read_text(encoding="utf-8")):
                assert process.poll() is None, "AWS's daemon ended"
                assert time.monotonic() < end, "AWS's daemon does not come up"
                time.sleep(0.05)
            yield Handed(address, server.segments)  # type: ignore[attr-defined]
        finally:
            process.kill()
            process.wait()
            server.shutdown()
