"""Faultlayer's records in a function's log: each on a line of its own, whatever the function does with its output."""

from __future__ import annotations

import json
from typing import Any

import pytest

from function import Function, answers, logged

SLOW = {"kind": "latency", "rate": 1, "delay_ms": 0}
LATER = {**SLOW, "id": "later", "when": "after"}


def fault_of(line: str) -> str | None:
    """The id, where the line is a record of a fault."""
    if not line.startswith('{"timestamp"'):
        return None
    record: dict[str, Any] = json.loads(line)
    return str(record.get("fault")) if record.get("source") == "faultlayer" else None


CODE = {
    "python": (
        "app.py",
        """
        import os, sys

        def handler(event, context):
            if event == "glue":
                os.write(1, b"no newline")
            elif event == "replace":
                os.close(1)
                os.open("/tmp/own.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            elif event == "read":
                return open("/tmp/own.txt").read()
        """,
    ),
    "node": (
        "app.js",
        """
        const fs = require('node:fs');
        exports.handler = async (event) => {
          if (event === 'glue') fs.writeSync(1, 'no newline');
          if (event === 'replace') { fs.closeSync(1); fs.openSync('/tmp/own.txt', 'w'); }
          return event === 'read' ? fs.readFileSync('/tmp/own.txt', 'utf8') : null;
        };
        """,
    ),
}


@pytest.mark.parametrize("language", CODE)
def test_a_record_has_a_line_of_its_own_and_the_functions_files_stay_its_own(function: Function, language: str) -> None:
    name, code = CODE[language]
    function.code(code, name)
    plan = function.plan({**SLOW, "id": "a"}, {**SLOW, "id": "b"}, LATER)
    events = function.events("glue", "nothing", "replace", "read")
    report = function.run("--plan", plan, "--events", events, "--memory", "256", runtime=language)
    lines = logged(report)
    assert "no newline" in lines
    assert [fault for line in lines if (fault := fault_of(line))] == ["a", "b", "later"] * 4
    # Nothing was written between the two, so there is no empty line either.
    at = [index for index, line in enumerate(lines) if fault_of(line) == "a"]
    assert [fault_of(lines[index + 1]) for index in at] == ["b"] * 4
    assert answers(report)[-1] == ""
