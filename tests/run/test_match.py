"""Faults that match on events: what `plan explain` says of a thousand events is what the layer does with them."""

from __future__ import annotations

import importlib.util
import json
import subprocess
from types import ModuleType
from typing import Any

from function import COMMAND, ROOT, Function

EVENTS = 1000
PATTERNS = 24


def generator() -> ModuleType:
    """The one that makes patterns and events which nearly collide, of the differential test."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "tests/matching/generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def holds(pattern: str) -> bool:
    pair = f'{{"pattern":{pattern},"event":{{}}}}\n'
    done = subprocess.run(
        [str(COMMAND), "plan", "match"], input=pair, capture_output=True, encoding="utf-8", check=True
    )
    return not done.stdout.startswith("error")


def test_an_explanation_and_the_layer_agree_on_a_thousand_events(function: Function) -> None:
    generate = generator()
    random = generate.Generator(20261123)
    events = [random.event() for _ in range(EVENTS)]
    texts = [generate.write(event) for event in events]
    patterns: list[Any] = []
    for event in events:
        if isinstance(event, dict) and event and len(patterns) < PATTERNS:
            text = generate.write(random.pattern(event))
            if holds(text):
                patterns.append(json.loads(text))
    faults = [
        {"id": f"f{at}", "kind": "error", "type": "E", "rate": 0.9, "match": {"event": pattern}}
        for at, pattern in enumerate(patterns)
    ]
    faults.append({"id": "cold", "kind": "error", "type": "E", "rate": 1, "match": {"context": {"invocation": [1]}}})
    function.code("def handler(event, context): return None")
    plan = function.plan(*faults, seed=3, dry_run=True)
    path = function.folder / "events.jsonl"
    path.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    report = function.run("--plan", plan, "--events", str(path), "--timeout", "1m")
    assert len(report["invocations"]) == EVENTS

    # The layer counts an environment's invocations, of which an explanation knows only the first.
    (first, *_) = report["invocations"]
    assert "cold" in [record["fault"] for record in first["records"]]
    ids = function.folder / "ids.txt"
    ids.write_text("".join(f"{invocation['request_id']}\n" for invocation in report["invocations"]), encoding="utf-8")
    arguments = [plan, "--json", "--request-ids", str(ids), "--events", str(path)]
    done = subprocess.run(
        [str(COMMAND), "plan", "explain", *arguments], capture_output=True, encoding="utf-8", check=True
    )
    hits = 0
    for line, invocation, text in zip(done.stdout.splitlines(), report["invocations"], texts, strict=True):
        told = [row["fault"] for row in json.loads(line) if row["drawn"] and row["fault"] != "cold"]
        did = [record["fault"] for record in invocation["records"] if record["fault"] != "cold"]
        assert did == told, text
        hits += len(did)
    assert EVENTS // 10 < hits < EVENTS * PATTERNS * 9 // 10
