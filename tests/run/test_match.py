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
# What a function's variables, 4 KB with every quote escaped, have room for beside ours.
PLAN_BYTES = 3200


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


def fitting(patterns: list[Any]) -> list[list[Any]]:
    """Faults with these patterns, in lists that each fit into a function's variables."""
    lists: list[list[Any]] = [[]]
    for at, pattern in enumerate(patterns):
        fault = {"id": f"f{at}", "kind": "error", "type": "E", "rate": 0.9, "match": {"event": pattern}}
        if lists[-1] and len(json.dumps(json.dumps([*lists[-1], fault]))) > PLAN_BYTES:
            lists.append([])
        lists[-1].append(fault)
    return lists


def test_an_explanation_and_the_layer_agree_on_a_thousand_events(function: Function) -> None:
    generate = generator()
    random = generate.Generator(20261123)
    events = [random.event() for _ in range(EVENTS)]
    patterns: list[Any] = []
    for event in events:
        if isinstance(event, dict) and event and len(patterns) < PATTERNS:
            text = generate.write(random.pattern(event))
            if holds(text) and len(text) < PLAN_BYTES:
                patterns.append(json.loads(text))
    function.code("def handler(event, context): return None")
    texts = [generate.write(event) for event in events]
    hits = sum(agreeing(function, faults, texts) for faults in fitting(patterns))
    assert EVENTS // 10 < hits < EVENTS * PATTERNS * 9 // 10


def agreeing(function: Function, faults: list[Any], texts: list[str]) -> int:
    """Holds what the layer does with the events to what `plan explain` says; how often a fault was drawn."""
    cold = {"id": "cold", "kind": "error", "type": "E", "rate": 1, "match": {"context": {"invocation": [1]}}}
    plan = function.plan(*faults, cold, seed=3, dry_run=True)
    path = function.folder / "events.jsonl"
    path.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    report = function.run("--plan", plan, "--events", str(path), "--timeout", "1m")
    assert len(report["invocations"]) == len(texts)

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
    return hits
