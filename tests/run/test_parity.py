"""The same plan and the same request ids in every language: the same fates, the same records."""

from __future__ import annotations

import json
import platform
import subprocess
from pathlib import Path
from typing import Any

import pytest

from function import COMMAND, ROOT, Function, outcomes

MACHINE = "arm64" if platform.machine() == "aarch64" else "x86_64"
SAMPLES = {
    "python": ("examples/python", "app.handler"),
    "node": ("examples/node", "index.handler"),
    "java": ("examples/java/target/classes", "example.Handler"),
}
FAULTS: list[dict[str, Any]] = [
    {"id": "slow", "kind": "latency", "rate": 0.3, "delay_ms": {"normal": {"mean": 5, "std_dev": 3, "max": 20}}},
    {"id": "later", "kind": "latency", "rate": 0.2, "when": "after", "delay_ms": {"percentiles": {"50": 1, "100": 9}}},
    {"id": "boom", "kind": "error", "rate": 0.1, "type": "NoSuchClassAnywhere", "message": "refused", "when": "after"},
    {"id": "busy", "kind": "response", "rate": 0.15, "status": 503, "headers": {"Retry-After": "1"}, "body": "größe"},
    {"id": "odd", "kind": "response", "rate": 0.1, "payload": {"b": 1.50, "a": [None, "日本"]}},
    {"id": "crash", "kind": "exit", "rate": 0.05, "code": 3},
    {"id": "cut", "kind": "error", "rate": 0.1, "type": "NoSuchClassAnywhere", "when": "during", "after_bytes": 1},
]


def reports(plan: str) -> dict[str, dict[str, Any]]:
    found = {}
    for language, (code, handler) in SAMPLES.items():
        layer = ROOT / f"dist/layers/faultlayer-{language}-{MACHINE}.zip"
        if not (layer.is_file() and Path(ROOT, code).is_dir()):
            continue
        command = [str(COMMAND), "run", "--runtime", language, "--code", code, "--handler", handler, "--plan", plan]
        options = ["--json", "-n", "80", "--id-seed", "11", "--timeout", "1m", "--memory", "512"]
        done = subprocess.run([*command, *options], capture_output=True, encoding="utf-8", cwd=ROOT)
        if "cannot build the runtime interface client" in done.stderr:
            pytest.skip(done.stderr)
        assert done.returncode == 0, f"{language}: {done.stderr}"
        found[language] = json.loads(done.stdout)
    return found


def test_every_language_meets_the_same_fates(function: Function) -> None:
    ran = reports(function.plan(*FAULTS, seed=3, experiment="parity"))
    if len(ran) < 2:
        pytest.skip("only one language's layer and sample are built: make layers builds the others")
    expected = ran.pop("python")
    assert {"ok", "error", "crash"} == set(outcomes(expected)), "the seed shows all of them"

    def records(report: dict[str, Any]) -> list[list[tuple[str, Any]]]:
        # In the order of their fields too; only the time may differ.
        return [
            [(name, value) for name, value in record.items() if name != "timestamp"]
            for invocation in report["invocations"]
            for record in invocation["records"]
        ]

    def replaced(report: dict[str, Any]) -> list[Any]:
        """The answers that a fault gave."""
        return [
            json.loads(invocation["answer"])
            for invocation in report["invocations"]
            if any(r["kind"] == "response" and r["action"] == "injected" for r in invocation["records"])
        ]

    for language, report in ran.items():
        assert outcomes(report) == outcomes(expected), language
        assert records(report) == records(expected), language
        assert replaced(report) == replaced(expected), language
        assert report["faults"] == [
            {**fault, "expected": pytest.approx(fault["expected"]), "deviation": pytest.approx(fault["deviation"])}
            for fault in expected["faults"]
        ]
