#!/usr/bin/env python3
"""Recomputes every sample in the vectors' records with the defining script, and holds each fault's fate against its rate.

    python3 tests/vectors/check.py

It shares no code with the engine: what the engine wrote into the vectors is judged from outside.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from sampling import draw  # the script stands beside this one


def main() -> int:
    checked = 0
    for case in json.loads((HERE / "decisions.json").read_text(encoding="utf-8")):
        plan = json.loads(case["plan"]) if isinstance(case["plan"], str) else case["plan"]
        faults = {fault["id"]: fault for fault in plan["faults"]}
        for call, expect in zip(case["calls"], case["expect"], strict=True):
            recorded = set()
            for line in expect["records"]:
                record = json.loads(line)
                fault = faults[record["fault"]]
                request_id = call["request_id"]
                if fault.get("sample_by") == "attempt" and call["deadline_ms"] is not None:
                    request_id = f"{request_id}@{call['deadline_ms']}"
                assert record["requestId"] == call["request_id"], (case["name"], record)
                assert record["sample"] == draw(plan.get("seed", 0), fault["id"], request_id), (case["name"], record)
                assert record["sample"] < record["rate"], (case["name"], record)
                recorded.add(fault["id"])
                checked += 1
            # Where nothing but the sample decides, a fault without a record must have a sample at or above its rate.
            free = not ({"limits", "starts_at", "dry_run"} & plan.keys()) and call["then"]
            for fault in faults.values() if free else ():
                plain = isinstance(fault["rate"], (int, float)) and not ({"limit", "match", "sample_by"} & fault.keys())
                if plain and fault["id"] not in recorded:
                    missed = draw(plan.get("seed", 0), fault["id"], call["request_id"])
                    assert missed >= fault["rate"], (case["name"], fault["id"], missed)
                    checked += 1
    for case in json.loads((HERE / "calls.json").read_text(encoding="utf-8")):
        plan, request_id = case["plan"], case["request_id"]
        for record in map(json.loads, case["expect"]["records"]):
            assert record["sample"] == draw(plan["seed"], record["fault"], request_id), (case["name"], record)
            checked += 1
        calls = plan["faults"][0].get("calls")
        if isinstance(calls, dict) and "share" in calls:
            met = [one["answer"] is not None for one in case["expect"]["met"]]
            drawn = [draw(plan["seed"], "f", request_id, 2 + at) < calls["share"] for at in range(len(met))]
            assert met == drawn, (case["name"], met, drawn)
            checked += len(met)
    print(f"{checked} fates agree with the defining script")
    return 0 if checked else 1


if __name__ == "__main__":
    sys.exit(main())
