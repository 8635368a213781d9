"""The largest events that Lambda takes, under plans that ask for all there is in them: answered as without us."""

from __future__ import annotations

import json
import platform
from typing import Any

import pytest

from function import ROOT, Function, answers, outcomes

MACHINE = "arm64" if platform.machine() == "aarch64" else "x86_64"
# What Lambda takes of an event.
MOST = 6 * 1024 * 1024

CODE = {
    "python": ("app.py", "app.handler", "128", "def handler(event, context): return len(event['a'])"),
    "node": ("app.js", "app.handler", "256", "exports.handler = async (event) => event.a.length;"),
    # The sample function, to which the client hands millions of objects: it takes some 300 MB without us.
    "java": (None, "example.Handler", "512", None),
}


def array(element: str) -> str:
    """An event of almost `MOST` bytes: an array of these."""
    count = (MOST - 100) // (len(element) + 1)
    return '{"a":[' + ",".join([element] * count) + "]}"


NUMBERS = array("0")
# Elements that have the same path by one dotted key and by two, with arrays in between.
DOTTED = array('{"b":[{"c":0},{"c.d":[0]}],"b.c":[0,{"d":0}],"b.c.d":0}')
# One number among three million, or 899 of them.
CASES: dict[str, tuple[str, list[Any]]] = {
    "three million numbers": (NUMBERS, [{"a": [1]}, {"a": list(range(1, 900))}]),
    "keys with dots": (DOTTED, [{"a": {"b": {"c": [1], "c.d": [1]}, "b.c": {"d": [2]}}}]),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("language", CODE)
def test_the_largest_event_under_a_plan_is_answered_as_without(
    function: Function, tmp_path_factory: pytest.TempPathFactory, language: str, case: str
) -> None:
    name, handler, memory, code = CODE[language]
    layer = ROOT / f"dist/layers/faultlayer-{language}-{MACHINE}.zip"
    if not layer.is_file() or (language == "java" and not (ROOT / "examples/java/target/classes").is_dir()):
        pytest.skip(f"the layer and the sample of {language} are not built: make layers builds them")
    if name and code:
        function.code(code, name)
    else:
        function = Function(ROOT / "examples/java/target/classes")
    event, patterns = CASES[case]
    inputs = tmp_path_factory.mktemp("inputs")
    events, plan = inputs / "events.jsonl", inputs / "plan.json"
    # Millions of objects are more than that without us.
    memory = "512" if event is DOTTED else memory
    options = ["--events", str(events), "--memory", memory, "--timeout", "30s", "-n", "2"]
    events.write_text(event + "\n", encoding="utf-8")
    healthy = function.run(*options, handler=handler, runtime=language)
    # The first of its environment, and one of those that come after it.
    assert outcomes(healthy) == ["ok"] * 2
    for pattern in patterns:
        fault = {"id": "f", "kind": "error", "type": "E", "rate": 0.9, "match": {"event": pattern}}
        plan.write_text(json.dumps({"version": 1, "faults": [fault]}), encoding="utf-8")
        behind = function.run(*options, "--plan", str(plan), handler=handler, runtime=language)
        assert (outcomes(behind), answers(behind)) == (outcomes(healthy), answers(healthy))
        assert own_words(behind) == []


def own_words(report: dict[str, Any]) -> list[str]:
    """What Faultlayer says of itself but that the budget was spent, which the most of an event may do."""
    lines = [line for invocation in report["invocations"] for line in invocation["log"] if '"faultlayer"' in line]
    return [line for line in lines if "match_budget_spent" not in line]
