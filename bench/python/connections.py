"""Microseconds of what is done with connections, by rounds in turns: each the median of many; JSON on standard output.

python connections.py '{"rounds": N}'

Connecting to a host that nobody named, a round trip over a relayed connection, the same where client, relay and server
share a processor, so that none wakes another one's, and what the first watch takes in a process of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

TESTS = Path(__file__).resolve().parents[2] / "network" / "tests"
sys.path.insert(0, str(TESTS))

from harness import Network  # noqa: E402

ROUNDS = json.loads(sys.argv[1])["rounds"]
EACH = 200

FIRST = """
import sys, time
sys.path.insert(0, sys.argv[1])
import ssl, urllib.request
from harness import Network
network = Network()
started = time.perf_counter_ns()
with network.watch("elsewhere.example"):
    print((time.perf_counter_ns() - started) / 1000)
"""


NEVER = """
import runpy, sys
del sys.argv[0]
bench = runpy.run_path(sys.argv[0])
for _ in sys.stdin:
    print(bench["typical"](bench["refused"]), flush=True)
"""

with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    FREE = probe.getsockname()[1]


def typical(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(EACH):
        started = time.perf_counter_ns()
        work()
        taken.append(time.perf_counter_ns() - started)
    return statistics.median(taken) / 1000


def asks(connection: socket.socket) -> Callable[[], object]:
    def ask() -> None:
        connection.sendall(b"x" * 100)
        got = 0
        while got < 100:
            got += len(connection.recv(100))

    return ask


def refused() -> None:
    """Connects to a socket that refuses, so that nothing else is measured."""
    with socket.socket() as one:
        one.connect_ex(("127.0.0.1", FREE))


def connects(network: Network) -> dict[str, list[float]]:
    # What a watch has patched stays so: what nobody watched is another process, on the same processor, asked in turns.
    all_of_them = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(all_of_them)})
    command = [sys.executable, "-c", NEVER, __file__, sys.argv[1]]
    rounds: dict[str, list[float]] = {"never watched": [], "no longer watched": [], "to a host that nobody named": []}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin and other.stdout
        for _ in range(ROUNDS):
            print(file=other.stdin, flush=True)
            rounds["never watched"].append(float(other.stdout.readline()))
            with network.watch("elsewhere.example"):
                rounds["to a host that nobody named"].append(typical(refused))
            rounds["no longer watched"].append(typical(refused))
        other.stdin.close()
    os.sched_setaffinity(0, all_of_them)
    return rounds


def round_trips(network: Network, port: int) -> dict[str, list[float]]:
    with network.watch(f"localhost:{port}"):
        relayed = socket.create_connection(("localhost", port))
    direct = socket.create_connection(("127.0.0.1", port))
    with relayed, direct, network.watch(f"localhost:{port}"):
        for one in (relayed, direct):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        rounds = [(typical(asks(direct)), typical(asks(relayed))) for _ in range(ROUNDS)]
    return {"direct": [one for one, _ in rounds], "relayed": [two for _, two in rounds]}


def held_to_one_processor(*processes: int) -> None:
    """All threads that they have now, but for one that ends meanwhile."""
    one = {min(os.sched_getaffinity(0))}
    for process in processes:
        for thread in Path(f"/proc/{process}/task").iterdir():
            with contextlib.suppress(ProcessLookupError):
                os.sched_setaffinity(int(thread.name), one)


def main() -> None:
    network = Network()
    command = [sys.executable, "-c", FIRST, str(TESTS)]
    starts = [float(subprocess.run(command, capture_output=True, check=True).stdout) for _ in range(min(ROUNDS, 20))]
    measured = {"connect": connects(network), "first watch": {"in a process": starts}}
    command = [sys.executable, str(TESTS / "servers.py"), "raw"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout and server.stdin
        port = int(server.stdout.readline())
        measured["round trip"] = round_trips(network, port)
        held_to_one_processor(os.getpid(), server.pid)
        measured["round trip on one processor"] = round_trips(network, port)
        server.stdin.close()
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
