"""`--report` and `--expect`: what is refused before anything runs, and what the exit status says."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest

from function import SAMPLE, Function, command

FAILS = {"id": "boom", "kind": "error", "rate": 1, "type": "ValueError", "message": "no"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--report", "page.pdf"], "expected a file that ends in .html, .md or .json, got `page.pdf`"),
        (["--report", "page"], "expected a file that ends in .html, .md or .json, got `page`"),
        (["--report", "/nowhere/at/all/page.html"], "there is no folder `/nowhere/at/all`"),
        (["--expect", "latency < 3ms"], "unknown figure `latency`, expected one of errors, error TYPE, timeouts"),
        (["--expect", "errors < 101%"], "expected a share from 0% to 100%, got `101%`"),
        (["--expect", "p99 < 800"], "expected a time with its unit, as in `800ms` or `2s`, got `800`"),
        (["--expect", "errors"], "expected a figure, one of < <= > >= = and a value, as in `errors < 1%`"),
        (["--expect", "file:/nowhere"], "cannot read `/nowhere`"),
        (["--expect", f"file:{__file__}"], "line 1: "),
    ],
)
def test_what_is_no_report_or_no_expectation_is_refused_before_anything_runs(arguments: list[str], words: str) -> None:
    done = subprocess.run(command(SAMPLE, *arguments), capture_output=True, encoding="utf-8")
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("expected", "states", "status"),
    [
        (["errors = 0", "calls = 4"], ["held", "held"], 0),
        (["errors = 0", "p99 < 1s"], ["held", "not_measurable"], 4),
        (["p99 < 1s", "errors > 0"], ["not_measurable", "broken"], 3),
    ],
)
def test_the_exit_status_says_what_became_of_the_expectations(
    function: Function, expected: list[str], states: list[str], status: int
) -> None:
    function.code("def handler(event, context):\n    return 1")
    file = function.folder / "expected.txt"
    file.write_text(f"# ours\n{expected[1]}  # the second\n", encoding="utf-8")
    arguments = ["-n", "4", "--expect", expected[0], "--expect", f"file:{file}"]
    report = function.run(*arguments, status=status)
    assert [one["state"] for one in report["expectations"]] == states
    assert [one["text"] for one in report["expectations"]] == expected
    assert ("why" in report["expectations"][states.index("not_measurable")]) if "not_measurable" in states else True


def test_a_plan_that_was_not_carried_out_cannot_be_judged(function: Function) -> None:
    record = {"source": "faultlayer", "level": "ERROR", "reason": "internal_error", "message": "the engine panicked"}
    function.code(f"print({json.dumps(record)!r})\n\ndef handler(event, context):\n    return 1")
    report = function.run("--plan", function.plan(FAILS), "-n", "2", "--expect", "errors >= 0", status=1)
    [judged] = report["expectations"]
    assert judged["state"] == "not_measurable"
    assert judged["why"] == "the plan was not carried out: the engine panicked"


def test_calls_stand_in_the_order_in_which_they_began_and_failures_of_others_are_told_apart(function: Function) -> None:
    function.code("def handler(event, context):\n    return 1 / event['by']")
    events = function.events({"by": 1}, {"by": 0})
    plan = function.plan({**FAILS, "match": {"event": {"by": [1]}}})
    markdown = function.folder / "report.md"
    report = function.run("--plan", plan, "--events", events, "-n", "6", "--report", str(markdown))
    begun = [invocation["at_ms"] for invocation in report["invocations"]]
    assert begun == sorted(begun)
    assert begun[0] < 1000
    assert report["started_at"] < report["ended_at"]
    rows = [
        line.split(" | ")[1:4]
        for line in Path(markdown).read_text().splitlines()
        if line.startswith("| ") and " ms |" in line
    ]
    ended = [row for row in rows if "ValueError" in row or "ZeroDivisionError" in row]
    assert ended.count(["`boom`", "injected", "ValueError"]) == 3
    assert ended.count(["", "failed by itself", "ZeroDivisionError"]) == 3
    assert json.dumps(report["run"]["errors"], sort_keys=True) == '{"ValueError": 3, "ZeroDivisionError": 3}'


def test_a_run_without_a_report_takes_no_more_memory_for_more_calls(function: Function) -> None:
    function.code("def handler(event, context):\n    return 'x' * 4000")
    few, many = (peak_kb(function.command("-n", calls)) for calls in ("100", "3000"))
    # Kept, the answers alone are 12 MB.
    assert many - few < 4000, (few, many)


def peak_kb(run: list[str]) -> int:
    """The most memory that a command had, without its children."""
    peak = 0
    with subprocess.Popen(run, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
            peak = max([peak, *(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))])
            time.sleep(0.01)
    assert process.returncode == 0
    return peak
