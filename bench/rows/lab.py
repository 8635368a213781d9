"""The lab: invocations a second through the real awslambdaric, and API calls a second, beside moto's server.

Both servers get the same signed request, over four connections, which stay open as long as the server lets them.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import peers
import places
from figures import Figures

from rows.starts import has_python, python_ways

COMMAND = places.ROOT / "target" / "release" / "faultlayer"
CONNECTIONS = 4
PATIENCE_S = 60


def run(code: Path, calls: int) -> tuple[float, float]:
    """Seconds that `faultlayer run` takes for so many calls, and its memory in MB."""
    options = [
        "run",
        "--runtime",
        "python",
        "--code",
        str(code),
        "--handler",
        "app.handler",
        "-n",
        str(calls),
    ]
    with tempfile.TemporaryFile() as said:
        begun = time.perf_counter()
        process = subprocess.Popen([str(COMMAND), *options], stdout=said, stderr=subprocess.DEVNULL)
        peak = 0
        while process.poll() is None:
            try:
                status = Path(f"/proc/{process.pid}/status").read_text()
                found = re.search(r"VmHWM:\s+(\d+)", status)
                peak = max(peak, int(found[1])) if found else peak
            except OSError:
                pass
            time.sleep(0.05)
        took = time.perf_counter() - begun
        if process.returncode:
            raise RuntimeError(f"faultlayer run ended with {process.returncode}")
    return took, peak / 1024


def invocations(figures: Figures, quick: bool) -> None:
    few, many = 100, 1000 if quick else 10_000
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "app.py").write_text("def handler(event, context):\n    return None\n")
        rates = []
        for _ in range(1 if quick else 3):
            # What starting takes is in both.
            (before, _), (took, _) = run(Path(folder), few), run(Path(folder), many)
            rates.append((many - few) / (took - before))
    figures.add("invocations through awslambdaric", "a second", rates)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def emulated(figures: Figures, quick: bool) -> None:
    """The same function and client in AWS's Runtime Interface Emulator, which is asked one by one, too."""
    calls = 50 if quick else 1000
    if not has_python("3.11"):
        raise peers.Missing("no Python 3.11, or no client for it")
    with tempfile.TemporaryDirectory() as folder:
        client, variables = python_ways("3.11", Path(folder))["bare"]
        port = free_port()
        at = ["--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
        at += ["--runtime-api-address", f"127.0.0.1:{free_port()}", "--log-level", "fatal"]
        process = subprocess.Popen(
            [str(peers.emulator()), *at, *client],
            cwd=folder,
            env=places.clean_environment(AWS_LAMBDA_FUNCTION_NAME="bench", LAMBDA_TASK_ROOT=folder, **variables),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            figures.add("invocations, AWS's Runtime Interface Emulator", "a second", invoked(port, calls))
        finally:
            # With the client, which it started.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def invoked(port: int, calls: int) -> list[float]:
    """Invocations a second over one connection, three times."""
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
            connection.connect()
            break
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)

    def rate(calls: int) -> float:
        begun = time.perf_counter()
        for _ in range(calls):
            connection.request("POST", "/2015-03-31/functions/function/invocations", b"{}")
            if (answer := connection.getresponse().read()) != b"null":
                raise RuntimeError(answer.decode())
        return calls / (time.perf_counter() - begun)

    rate(1)
    return [rate(calls) for _ in range(3)]


@contextmanager
def served(command: list[str]) -> Iterator[int]:
    """The port of a server that says where it listens."""
    with tempfile.TemporaryDirectory() as place:
        said = Path(place, "said")
        with said.open("wb") as out:
            process = subprocess.Popen(command, cwd=place, stdout=out, stderr=subprocess.STDOUT)
        try:
            end = time.monotonic() + PATIENCE_S
            while not (found := re.search(r"127\.0\.0\.1:(\d+)", said.read_text())):
                if process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"{command[0]} says not where it listens: {said.read_text()[-500:]}")
                time.sleep(0.05)
            yield int(found[1])
        finally:
            process.kill()
            process.wait()


def signed(python: Path, port: int) -> bytes:
    """A request as boto3 sends it."""
    command = [str(python), str(places.HERE / "python/signed.py"), str(port)]
    told = subprocess.run(command, capture_output=True, text=True, check=True, env=places.clean_environment())
    return bytes.fromhex(told.stdout.strip())


def received(connection: socket.socket) -> bytes:
    """What comes next; a connection that is closed has no answer."""
    got = connection.recv(65536)
    if not got:
        raise ConnectionError("closed")
    return got


def connected(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def asked(port: int, request: bytes, times: int) -> None:
    """Sends the request over and over, on one connection as long as the server keeps it open."""
    connection = connected(port)
    for _ in range(times):
        connection.sendall(request)
        kept = b""
        while b"\r\n\r\n" not in kept:
            kept += received(connection)
        head, body = kept.split(b"\r\n\r\n", 1)
        if b" 200 " not in head.split(b"\r\n")[0]:
            raise RuntimeError(head.decode())
        found = re.search(rb"(?i)content-length: (\d+)", head)
        while found and len(body) < int(found[1]):
            body += received(connection)
        if b"connection: close" in head.lower():
            connection.close()
            connection = connected(port)
    connection.close()


def unthrottled(port: int) -> None:
    """What is measured is the server, not AWS's rates, which it keeps otherwise."""
    body = json.dumps({"rates": 0}).encode()
    url = f"http://127.0.0.1:{port}/_lab/settings"
    urllib.request.urlopen(urllib.request.Request(url, body, {"Content-Type": "application/json"})).close()


def api_calls(figures: Figures, quick: bool) -> None:
    python = peers.python()
    servers = {
        "faultlayer lab": ([str(COMMAND), "lab", "--port", "0"], 50 if quick else 2000),
        "moto server": ([str(python.parent / "moto_server"), "-H", "127.0.0.1", "-p", "0"], 20 if quick else 150),
    }
    for name, (command, times) in servers.items():
        with served(command) as port:
            if name == "faultlayer lab":
                unthrottled(port)
            request = signed(python, port)
            rates = []
            for _ in range(3):
                workers = [threading.Thread(target=asked, args=(port, request, times)) for _ in range(CONNECTIONS)]
                begun = time.perf_counter()
                for worker in workers:
                    worker.start()
                for worker in workers:
                    worker.join()
                rates.append(CONNECTIONS * times / (time.perf_counter() - begun))
            figures.add(f"API calls, {name}", "a second", rates)


def measure(quick: bool) -> Figures:
    figures = Figures()
    invocations(figures, quick)
    for what, work in {"AWS's Runtime Interface Emulator": emulated, "API calls": api_calls}.items():
        try:
            work(figures, quick)
        except peers.Missing as missing:
            figures.skip(what, str(missing))
    return figures
