"""Microseconds of what is done with connections, by rounds in turns: each the median of many; JSON on standard output.

python connections.py '{"rounds": N}'

Connecting to a host that nobody named, a round trip over a relayed connection, the same where client, relay and server
share a processor, so that none wakes another one's, and what the first watch takes in a process of its own.

Which processors a client and its server settle on decides what a round trip takes, and who was there before decides
that: each is measured by processes of its own, which this program is too: '{"trip": "direct", "on_one": true}'.
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

ASKED = json.loads(sys.argv[1])
ROUNDS = ASKED.get("rounds", 0)
EACH = 200
TRIPS = 2000

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


def typical(work: Callable[[], object], times: int = EACH) -> float:
    taken = []
    for _ in range(times):
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


def trip(relayed: bool, on_one: bool) -> float:
    """The median of many in this process, with a server of its own."""
    if on_one:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    command = [sys.executable, str(TESTS / "servers.py"), "raw"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout and server.stdin
        port = int(server.stdout.readline())
        with (
            Network().watch(f"localhost:{port}") if relayed else contextlib.nullcontext(),
            socket.create_connection(("localhost" if relayed else "127.0.0.1", port)) as connection,
        ):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            taken = typical(asks(connection), TRIPS)
        server.stdin.close()
    return taken


def round_trips(on_one: bool) -> dict[str, list[float]]:
    rounds: dict[str, list[float]] = {"direct": [], "relayed": []}
    for _ in range(min(ROUNDS, 10)):
        for kind, taken in rounds.items():
            command = [sys.executable, __file__, json.dumps({"trip": kind, "on_one": on_one})]
            taken.append(float(subprocess.run(command, capture_output=True, check=True).stdout))
    return rounds


def main() -> None:
    if "trip" in ASKED:
        print(trip(ASKED["trip"] == "relayed", ASKED["on_one"]))
        return
    command = [sys.executable, "-c", FIRST, str(TESTS)]
    starts = [float(subprocess.run(command, capture_output=True, check=True).stdout) for _ in range(min(ROUNDS, 20))]
    measured = {
        "connect": connects(Network()),
        "first watch": {"in a process": starts},
        "round trip": round_trips(on_one=False),
        "round trip on one processor": round_trips(on_one=True),
    }
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
