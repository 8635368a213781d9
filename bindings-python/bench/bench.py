"""What the Python layer and library cost, each figure beside the same without Faultlayer. Prints; judges nothing.

    python bench.py --layer ZIP [--runs 30] [--json]

Cold start is from the spawn of the real awslambdaric to its first request for an invocation, with the runs interleaved.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests"))

from interpreters import VERSIONS, client, interpreter  # noqa: E402 - they stand beside the tests

HANDLER = "def handler(event, context):\n    return {'statusCode': 200, 'body': 'Hello from Lambda'}\n"
WATCHING = {
    "version": 1,
    "expires_at": "never",
    "faults": [{"id": "rare", "kind": "exit", "rate": 1e-15}],
}


class ColdStarts:
    """Starts clients and tells when each asked for its first invocation, and how large it was then."""

    def __init__(self) -> None:
        asked: queue.Queue[float] = queue.Queue()
        over = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                asked.put(time.perf_counter())
                over.wait()

        self._asked, self._over = asked, over
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def one(self, python: str, path: list[Path], handler: str, variables: dict[str, str]) -> dict[str, float]:
        """Milliseconds by the clock and on the processor, and MB, of one start."""
        env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(map(str, path)),
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.server_port}",
            "AWS_EXECUTION_ENV": "AWS_Lambda_python",
            "_HANDLER": handler,
            **variables,
        }
        begun = time.perf_counter()
        process = subprocess.Popen([python, "-m", "awslambdaric", handler], env=env, stdout=subprocess.DEVNULL)
        try:
            took = self._asked.get(timeout=60) - begun
            status = Path(f"/proc/{process.pid}/status").read_text()
            rss = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
            # Of all threads: the client waits in one of its own.
            tasks = Path(f"/proc/{process.pid}/task").glob("*/schedstat")
            on_cpu = sum(int(task.read_text().split()[0]) for task in tasks)
        finally:
            process.kill()
            process.wait()
        return {"ms": took * 1000, "cpu_ms": on_cpu / 1e6, "mb": rss / 1024}

    def close(self) -> None:
        self._over.set()
        self._server.shutdown()


def cold_starts(version: str, opt: Path, code: Path, runs: int) -> dict[str, dict[str, float]]:
    """Medians of each way to start, and what each adds to the bare one."""
    python = interpreter(version)
    assert python
    layer = {"FAULTLAYER_HANDLER": "app.handler"}
    ways: dict[str, tuple[str, list[Path], dict[str, str]]] = {
        "bare": ("app.handler", [], {}),
        "layer, disabled": ("faultlayer_layer.handler", [opt / "python"], {**layer, "FAULTLAYER_DISABLED": "1"}),
        "layer, active plan": (
            "faultlayer_layer.handler",
            [opt / "python"],
            {**layer, "FAULTLAYER_PLAN": json.dumps(WATCHING)},
        ),
    }
    starts = ColdStarts()
    seen: dict[str, list[dict[str, float]]] = {name: [] for name in ways}
    try:
        for _ in range(runs):
            for name, (handler, path, variables) in ways.items():
                seen[name].append(starts.one(python, [code, *path, client(version)], handler, variables))
    finally:
        starts.close()
    units = ("ms", "cpu_ms", "mb")
    medians = {
        name: {unit: statistics.median(row[unit] for row in rows) for unit in units} for name, rows in seen.items()
    }
    for row in medians.values():
        row.update({f"added_{unit}": row[unit] - medians["bare"][unit] for unit in units})
    return medians


CALLS = """
import json, os, sys, time
from types import SimpleNamespace
sys.path[:0] = json.loads(sys.argv[1])
def handler(event, context):
    return None
class Context:
    def __init__(self):
        self.aws_request_id = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
        self.invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:hello"
        self._epoch_deadline_time_in_ms = int(time.time() * 1000) + 900_000
context = Context()
def best(function, calls=200_000, rounds=9):
    took = []
    for _ in range(rounds):
        begun = time.perf_counter_ns()
        for _ in range(calls):
            function(None, context)
        took.append((time.perf_counter_ns() - begun) / calls)
    return min(took)
app = type(sys)("app"); app.handler = handler; sys.modules["app"] = app
plan = sys.argv[2]
import faultlayer_layer
os.environ["FAULTLAYER_HANDLER"] = "app.handler"
os.environ["FAULTLAYER_DISABLED"] = "1"
disabled = faultlayer_layer.handler
del faultlayer_layer.handler, os.environ["FAULTLAYER_DISABLED"]
os.environ["FAULTLAYER_PLAN"] = plan
active = faultlayer_layer.handler
import faultlayer
print(json.dumps({
    "bare handler": best(handler),
    "layer, nothing can fire": best(disabled),
    "layer, active plan, nothing drawn": best(active),
    "library, injection point outside a scope": best(faultlayer.wrap(handler)),
    "library, active plan, nothing drawn": best(faultlayer.wrap(handler, plan)),
}))
"""


def calls(version: str, opt: Path) -> dict[str, float]:
    """Nanoseconds a call, best of several rounds, the loop included."""
    python = interpreter(version)
    assert python
    path = [str(opt / "python"), str(HERE.parent / "python")]
    told = subprocess.run(
        [python, "-c", CALLS, json.dumps(path), json.dumps(WATCHING)], capture_output=True, text=True, check=True
    )
    figures: dict[str, float] = json.loads(told.stdout.splitlines()[-1])
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layer", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    report: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        opt, code = Path(folder) / "opt", Path(folder) / "task"
        zipfile.ZipFile(options.layer).extractall(opt)
        code.mkdir()
        (code / "app.py").write_text(HANDLER)
        for version in VERSIONS:
            if interpreter(version) and client(version).is_dir():
                started = cold_starts(version, opt, code, options.runs)
                report[version] = {"cold_start": started, "call_ns": calls(version, opt)}
    if options.json:
        print(json.dumps(report, indent=1))
        return
    for version, figures in report.items():
        print(f"CPython {version}")
        bare = figures["cold_start"]["bare"]
        for name, row in figures["cold_start"].items():
            print(
                f"  cold start, {name:<18} {row['ms']:7.1f} ms  {row['added_ms']:+6.2f} ms"
                f"  x{row['ms'] / bare['ms']:.2f}"
                f"   cpu {row['cpu_ms']:6.1f} ms  {row['added_cpu_ms']:+5.2f} ms"
                f"   {row['mb']:5.1f} MB  {row['added_mb']:+5.2f} MB"
            )
        bare_ns = figures["call_ns"]["bare handler"]
        for name, ns in figures["call_ns"].items():
            print(f"  a call, {name:<42} {ns:6.0f} ns  {ns - bare_ns:+6.0f} ns  x{ns / bare_ns:.1f}")


if __name__ == "__main__":
    main()
