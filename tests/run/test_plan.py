"""A function under a plan: what the run counts, what `plan explain` and the definition of sampling say beforehand."""

from __future__ import annotations

import json
import platform
import runpy
import subprocess
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from function import COMMAND, ROOT, SAMPLE, Function, answers, command, logged, outcomes

# The definition of sampling, which knows nothing of Faultlayer.
DEFINITION = runpy.run_path(str(ROOT / "tests/vectors/sampling.py"))
draw: Callable[[int, str, str], float] = DEFINITION["draw"]

FAULTS: list[dict[str, Any]] = [
    {"id": "slow", "kind": "latency", "rate": 0.3, "delay_ms": {"uniform": {"min": 1, "max": 20}}},
    {"id": "boom", "kind": "error", "rate": 0.2, "type": "ConnectionError", "message": "refused"},
    {"id": "busy", "kind": "response", "rate": 0.2, "status": 503, "body": "later"},
    {"id": "crash", "kind": "exit", "rate": 0.1, "when": "after"},
]
HANDLER = "def handler(event, context): return {'statusCode': 200, 'body': 'fine'}"


def under_plan(function: Function, *arguments: str, status: int = 0) -> dict[str, Any]:
    function.code(HANDLER)
    plan = function.plan(*FAULTS, seed=7, experiment="counted")
    return function.run("--plan", plan, "-n", "60", "--timeout", "1m", *arguments, status=status)


def records(report: dict[str, Any]) -> list[dict[str, Any]]:
    return [record for invocation in report["invocations"] for record in invocation["records"]]


def without_time(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != "timestamp"}


def test_a_run_is_predicted_and_repeats_itself(function: Function) -> None:
    report = under_plan(function)
    again = under_plan(function)
    assert [without_time(record) for record in records(report)] == [without_time(record) for record in records(again)]
    assert outcomes(report) == outcomes(again)
    assert set(outcomes(report)) == {"ok", "error", "crash"}, "the seed shows all of them"

    ids = "".join(f"{invocation['request_id']}\n" for invocation in report["invocations"])
    explained = subprocess.run(
        [str(COMMAND), "plan", "explain", str(function.folder / "plan.json"), "--json", "--request-ids", "-"],
        input=ids,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    for line, invocation in zip(explained.stdout.splitlines(), report["invocations"], strict=True):
        drawn = [row for row in json.loads(line) if row["drawn"]]
        said = [(r["fault"], r["sample"], r["action"], r.get("reason")) for r in invocation["records"]]
        assert sorted(said) == sorted((r["fault"], r["sample"], r["action"], r["reason"]) for r in drawn)
        # And by the definition, without Faultlayer.
        samples = {fault["id"]: draw(7, fault["id"], invocation["request_id"]) for fault in FAULTS}
        assert {r["fault"]: r["sample"] for r in invocation["records"]} == {
            fault["id"]: samples[fault["id"]] for fault in FAULTS if samples[fault["id"]] < fault["rate"]
        }


def test_the_figures_are_those_of_the_records(function: Function) -> None:
    report = under_plan(function, "--compare")
    run, healthy = report["run"], report["healthy"]
    assert (healthy["calls"], healthy["ok"], healthy["cold_starts"]) == (60, 60, 1)
    count = Counter((record["fault"], record["action"]) for record in records(report))
    for fault, given in zip(report["faults"], FAULTS, strict=True):
        assert fault["id"] == given["id"]
        assert fault["expected"] == pytest.approx(given["rate"] * 60)
        assert fault["injected"] == count[fault["id"], "injected"]
        assert sum(fault["skipped"].values()) == count[fault["id"], "skipped"]
        assert fault["drawn"] == fault["injected"] + sum(fault["skipped"].values())
    injected = {fault["id"]: fault["injected"] for fault in report["faults"]}
    assert run["errors"] == {"ConnectionError": injected["boom"]}
    assert run["statuses"] == {"503": injected["busy"]}
    assert run["crashes"] == injected["crash"] == run["cold_starts"] - 1
    assert run["ok"] == 60 - injected["boom"] - injected["crash"]
    untouched = run["ok"] - injected["busy"]
    assert report["answers"] == {"compared": untouched, "equal": untouched}
    assert (
        0 < run["latency_ms"]["p50"] <= run["latency_ms"]["p90"] <= run["latency_ms"]["p99"] <= run["latency_ms"]["max"]
    )


def test_another_id_seed_meets_another_fate(function: Function) -> None:
    assert outcomes(under_plan(function)) != outcomes(under_plan(function, "--id-seed", "2"))


def test_a_dry_run_changes_nothing_and_is_counted(function: Function) -> None:
    function.code(HANDLER)
    report = function.run("--plan", function.plan(*FAULTS, dry_run=True), "-n", "40")
    assert outcomes(report) == ["ok"] * 40
    assert sum(fault["dry_run"] for fault in report["faults"]) > 0
    assert sum(fault["injected"] for fault in report["faults"]) == 0


def test_the_kill_switch_leaves_the_function_alone(function: Function) -> None:
    report = under_plan(function, "--env", "FAULTLAYER_DISABLED=1")
    assert outcomes(report) == ["ok"] * 60
    (own,) = report["own_records"]
    assert (own["level"], own["reason"]) == ("INFO", "disabled")


def test_a_layer_that_could_not_do_its_part_fails_the_run(function: Function) -> None:
    function.code(HANDLER)
    machine = "arm64" if platform.machine() == "aarch64" else "x86_64"
    done = subprocess.run(
        function.command(
            "--layer",
            str(ROOT / f"dist/layers/faultlayer-python-{machine}.zip"),
            "-n",
            "3",
            "--env",
            "FAULTLAYER_PLAN=garbage",
            "--env",
            "FAULTLAYER_HANDLER=app.handler",
            handler="faultlayer_layer.handler",
        ),
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 1
    assert "the plan was not carried out" in done.stderr
    assert "faultlayer says plan_" in done.stdout
    assert "ok 3 100 %" in " ".join(done.stdout.split())


def test_where_paths_are_translated_the_plan_works_too(function: Function) -> None:
    function.options.append("--not-isolated")
    report = under_plan(function)
    assert set(outcomes(report)) == {"ok", "error", "crash"}
    assert report["notes"] != []


def test_a_plan_with_problems_is_refused_with_all_of_them(function: Function) -> None:
    function.code(HANDLER)
    plan = function.plan({"id": "a", "kind": "error", "rate": 25}, {"id": "a", "kind": "timeout"}, colour="red")
    done = subprocess.run(function.command("--plan", plan), capture_output=True, encoding="utf-8")
    assert done.returncode == 2
    assert done.stdout == ""
    for path in ("colour", "faults[0].rate", "faults[0].type", "faults[1].rate", "faults[1].id"):
        assert f"\n  {path}: " in done.stderr, path


def test_the_tables_say_what_happened(function: Function) -> None:
    plan = function.plan({"id": "busy", "kind": "response", "rate": 1, "status": 503, "limit": 4})
    done = subprocess.run(
        command(SAMPLE, "--plan", plan, "-n", "8", "--compare", "--records", "1", "--id-seed", "5"),
        capture_output=True,
        encoding="utf-8",
        cwd=ROOT,
        check=True,
    )
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert done.stderr == "", "no progress bar where there is no terminal"
    assert lines[0].endswith("· app.handler · timeout 3 s · 128 MB · 8 calls")
    assert "healthy under the plan" in lines
    assert "ok 8 100 % 8 100 %" in lines
    assert "with status 503 0 4 50.0 %" in lines
    assert "answers as healthy 4 of 4" in lines
    assert "busy response 1 8.0 ± 0.0 4 4 0" in lines
    assert json.loads(lines[lines.index("what the function's log says") + 1])["fault"] == "busy"
    assert "… and 3 more, all of them in --report FILE.json" in lines
    assert lines[-1] == "the same request ids again: --id-seed 5"


def test_the_report_file_is_what_json_prints(function: Function) -> None:
    function.code(HANDLER)
    report = function.run("-n", "2", "--report", str(function.folder / "report.json"))
    assert json.loads((function.folder / "report.json").read_text()) == report
    assert any("REPORT RequestId" in line for line in logged(report))


def test_the_sample_says_hello() -> None:
    done = subprocess.run(command(SAMPLE, "--json", "-n1"), capture_output=True, encoding="utf-8", check=True)
    assert "Hello from Lambda" in answers(json.loads(done.stdout))[0]["body"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--handler", "app.handler", "--code", "/nowhere"], "cannot read the code in `/nowhere`"),
        (["--handler", "app.handler", "--runtime", "python3.9"], "python3.9"),
        (["--handler", "app.handler", "--layer", "/nowhere.zip"], "cannot read the layer `/nowhere.zip`"),
        (["--handler", "app.handler", "--plan", "/nowhere.json"], "cannot read `/nowhere.json`"),
        (["--handler", "app.handler", "--event", __file__], "is not JSON"),
        (["--handler", "app.handler", "--timeout", "soon"], "expected a time from 1ms to 15m"),
        (["--handler", "app.handler", "--env", "1=2"], "expected a name of letters, digits and _"),
    ],
)
def test_what_cannot_be_run_is_said(arguments: list[str], words: str) -> None:
    base = {"--runtime": "python", "--code": str(SAMPLE)}
    given = [text for name, value in base.items() if name not in arguments for text in (name, value)]
    done = subprocess.run([str(COMMAND), "run", *given, *arguments], capture_output=True, encoding="utf-8")
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stdout == ""


def test_a_fault_in_calls_that_never_met_one_says_why_in_words(function: Function) -> None:
    function.code("def handler(event, context):\n    return 1\n")
    target = {"service": ["dynamodb"]}
    plan = function.plan(
        {"id": "throttle", "kind": "aws_call", "rate": 1, "target": target, "error": "ThrottlingException"},
        {"id": "pay", "kind": "network", "rate": 1, "target": {"host": ["nobody.example"]}, "effect": "refuse"},
        {"id": "slow", "kind": "latency", "rate": 1, "delay_ms": 0},
    )
    throttle, pay = function.run("--plan", plan, "-n", "2")["notes"]
    begin = "was drawn for 2 invocations and hit nothing: the function"
    assert throttle.startswith(f"`throttle` {begin} made no call to AWS that its target is about."), throttle
    assert "botocore" in throttle
    assert pay.startswith(f"`pay` {begin} opened no connection"), pay
