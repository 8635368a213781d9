"""A Runtime API that hands out invocations as fast as the client takes them, and times each."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import places

HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: %s\r\n"
    b"Lambda-Runtime-Deadline-Ms: %d\r\n"
    b"Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-west-1:123456789012:function:f\r\n"
    b"Lambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0\r\nContent-Length: %d\r\n\r\n%s"
)
LEFT_OUT = 100
TAKEN = b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
EVENT = b'{"order": {"id": "a-1", "items": [{"sku": "A-7", "count": 2}]}}'


class RuntimeApi:
    """Serves one environment. `turnarounds` are the microseconds from an event to its answer, `returns` those from
    there to the question for the next event: both are the client's alone."""

    def __init__(self, calls: int, warm: Callable[[], object]) -> None:
        self.turnarounds: list[float] = []
        self.returns: list[float] = []
        self.done = threading.Event()
        self._calls, self._warm, self._handed, self._taken = calls, warm, 0.0, 0.0
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        kept = b""
        while True:
            while b"\r\n\r\n" not in kept:
                received = connection.recv(65536)
                if not received:
                    return
                kept += received
            head, kept = kept.split(b"\r\n\r\n", 1)
            length = 0
            for line in head.lower().split(b"\r\n"):
                if line.startswith(b"content-length:"):
                    length = int(line[15:])
            while len(kept) < length:
                kept += connection.recv(65536)
            kept = kept[length:]
            if head.startswith(b"POST"):
                self.turnarounds.append((time.perf_counter() - self._handed) * 1e6)
                connection.sendall(TAKEN)
                self._taken = time.perf_counter()
                continue
            if self._taken:
                self.returns.append((time.perf_counter() - self._taken) * 1e6)
            if len(self.turnarounds) >= self._calls:
                self.done.set()
            else:
                if len(self.turnarounds) == LEFT_OUT:
                    self._warm()
                number = b"8f5c7d1e-7b61-11e6-9a41-%012x" % len(self.turnarounds)
                answer = HEAD % (number, int(time.time() * 1000) + 900_000, len(EVENT), EVENT)
                self._handed = time.perf_counter()
                connection.sendall(answer)

    def close(self) -> None:
        self._server.close()


def turnarounds(
    command: list[str],
    variables: dict[str, str],
    cwd: Path,
    calls: int,
    *,
    proxy: Path | None = None,
    warm: Callable[[], object] = lambda: None,
    returns: bool = False,
) -> list[float]:
    """Microseconds of each of so many invocations through a real client, without the first hundred: after these, `warm`
    is called. With `returns` until it asks for the next one."""
    api = RuntimeApi(calls + LEFT_OUT, warm)
    between = None
    port = api.port
    try:
        if proxy:
            between = subprocess.Popen(
                [str(proxy), f"127.0.0.1:{port}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            assert between.stdout
            port = int(between.stdout.readline())
        environment = places.clean_environment(
            AWS_LAMBDA_RUNTIME_API=f"127.0.0.1:{port}",
            AWS_LAMBDA_FUNCTION_NAME="bench",
            AWS_LAMBDA_FUNCTION_MEMORY_SIZE="512",
            AWS_REGION="eu-west-1",
            LAMBDA_TASK_ROOT=str(cwd),
            **variables,
        )
        process = subprocess.Popen(
            command, cwd=cwd, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            if not api.done.wait(120):
                raise RuntimeError(f"{command[0]} answered {len(api.turnarounds)} invocations")
        finally:
            process.kill()
            process.wait()
    finally:
        api.close()
        if between:
            between.kill()
            between.wait()
    took = api.turnarounds[LEFT_OUT:]
    return [there + back for there, back in zip(took, api.returns[LEFT_OUT:], strict=True)] if returns else took
