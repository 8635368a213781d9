"""Bytes of log for an injected fault: the record of each kind, as the Python layer writes it."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import places
from figures import Figures

KINDS: dict[str, dict[str, Any]] = {
    "latency": {"delay_ms": 1},
    "error": {"type": "ConnectionError", "message": "injected"},
    "response": {"status": 503, "delay_ms": None},
    "corrupt": {"body": "damaged", "delay_ms": None},
}
PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
sys.modules["app"] = app = type(sys)("app")
app.handler = lambda event, context: {"body": "as it is"}
class Context:
    def __init__(self, number):
        self.aws_request_id = f"8f5c7d1e-7b61-11e6-9a41-{number:012x}"
from faultlayer_layer import handler
for number in range(100):
    try:
        handler(None, Context(number))
    except Exception:
        pass
"""


def measure(quick: bool) -> Figures:
    figures = Figures()
    for kind, options in KINDS.items():
        fault = {
            name: value
            for name, value in {"delay_ms": None, "rate": 1, "kind": kind, **options}.items()
            if value is not None
        }
        named = {
            "version": 1,
            "experiment": "checkout",
            "expires_at": "2099-01-01T00:00:00Z",
            "faults": [{"id": "fault", **fault}],
        }
        told = subprocess.run(
            ["python3", "-S", "-E", "-c", PROGRAM, str(places.layer("python") / "python")],
            env=places.clean_environment(FAULTLAYER_HANDLER="app.handler", FAULTLAYER_PLAN=json.dumps(named)),
            capture_output=True,
            check=True,
        )
        lines = [line for line in told.stdout.splitlines(keepends=True) if b'"action":"injected"' in line]
        if len(lines) != 100:
            raise RuntimeError(f"{kind}: {told.stdout[:500]!r}{told.stderr[-500:]!r}")
        figures.add(f"a record of {kind}", "bytes", [float(len(line)) for line in lines])
    return figures
