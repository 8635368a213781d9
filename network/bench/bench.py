"""What watching connections costs, beside the same without it, in one process and in turns.

    python bench.py

Connecting to a host that nobody named, a round trip over a relayed connection, and what the first watch takes in a
process of its own. On a machine that others use too, minima and quartiles say more than means.
"""

from __future__ import annotations

import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests"))

from harness import Network  # noqa: E402

ROUNDS, EACH, STARTS = 60, 100, 20

FIRST = """
import sys, time
sys.path.insert(0, sys.argv[1])
import ssl, urllib.request
from harness import Network
network = Network()
started = time.perf_counter_ns()
with network.watch("elsewhere.example"):
    print(time.perf_counter_ns() - started)
"""


def times(work: Callable[[], object]) -> list[int]:
    taken = []
    for _ in range(EACH):
        started = time.perf_counter_ns()
        work()
        taken.append(time.perf_counter_ns() - started)
    return taken


def row(name: str, without: list[int], with_it: list[int], bound_us: float | None = None) -> None:
    """Minimum, quartile and median of both, and what is added at each."""
    figures = [(min(values), *statistics.quantiles(values, n=4)[:2]) for values in (without, with_it)]
    pairs = [(before / 1000, after / 1000) for before, after in zip(*figures, strict=True)]
    shown = "".join(f"  {before:7.2f} -> {after:7.2f} ({after - before:+6.2f})" for before, after in pairs)
    print(f"{name:42}{shown}" + (f"   bound {bound_us:+.0f}" if bound_us is not None else ""), flush=True)


def asks(connection: socket.socket) -> Callable[[], object]:
    def ask() -> None:
        connection.sendall(b"x" * 100)
        got = 0
        while got < 100:
            got += len(connection.recv(100))

    return ask


def main() -> None:
    network = Network()
    command = [sys.executable, str(HERE.parent / "tests" / "servers.py"), "raw"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout and server.stdin
        port = int(server.stdout.readline())
        # On a socket that refuses, nothing else is measured.
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            free = probe.getsockname()[1]

        def refused() -> None:
            with socket.socket() as one:
                one.connect_ex(("127.0.0.1", free))

        print(f"{'microseconds':42}  {'minimum':26}  {'quartile':26}  median")
        never = [taken for _ in range(ROUNDS) for taken in times(refused)]
        idle: list[int] = []
        unnamed: list[int] = []
        for _ in range(ROUNDS):
            with network.watch("elsewhere.example"):
                unnamed += times(refused)
            idle += times(refused)
        row("connect, never watched -> no longer", never, idle, 0)
        row("connect, no longer watched -> unnamed host", idle, unnamed, 1)
        with network.watch(f"localhost:{port}"):
            relayed = socket.create_connection(("localhost", port))
        direct = socket.create_connection(("127.0.0.1", port))
        for one in (relayed, direct):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with network.watch(f"localhost:{port}"):
            plain: list[int] = []
            through: list[int] = []
            for _ in range(ROUNDS):
                plain += times(asks(direct))
                through += times(asks(relayed))
        row("round trip, direct -> relayed", plain, through, 30)
        relayed.close()
        direct.close()
        server.stdin.close()
    command = [sys.executable, "-c", FIRST, str(HERE.parent / "tests")]
    starts = [int(subprocess.run(command, capture_output=True, check=True).stdout) for _ in range(STARTS)]
    row("the first watch in a process", [0] * STARTS, starts, 1000)


if __name__ == "__main__":
    main()
