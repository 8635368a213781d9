"""Every kind of fault, alone and in every ordered pair, through the real client: the combination rule in the open, and
nothing left after it."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from conftest import Lambda

BODY = "the handler's own answer, long enough to be mangled"
APP = f"""
import glob, os, threading, time
BODY = {BODY!r}
def usage():
    with open("/proc/self/status") as status:
        fields = dict(line.split(":", 1) for line in status)
    deleted = [link for link in map(read, glob.glob("/proc/self/fd/*")) if "(deleted)" in link]
    return {{"mib": int(fields["VmRSS"].split()[0]) / 1024, "threads": int(fields["Threads"]), "deleted": deleted,
             "tmp": os.listdir(os.environ["TMPDIR"])}}
def read(path):
    try:
        return os.readlink(path)
    except OSError:
        return ""
def handler(event, context):
    if event == "look":
        return usage()
    return {{"statusCode": 200, "body": BODY, "usage": usage()}}
"""

KINDS: dict[str, dict[str, Any]] = {
    "latency": {"delay_ms": 5},
    "error": {"type": "ConnectionError", "message": "down"},
    "response": {"status": 503, "body": "busy"},
    "exit": {"code": 7},
    "timeout": {},
    "corrupt": {},
    "disk": {"size_mib": 8},
    "memory": {"size_mib": 32},
    "cpu": {"duration_ms": 60_000, "threads": 1},
}
OUTCOMES = ("error", "response", "exit", "timeout")


def expected(kinds: list[str]) -> tuple[str, dict[str, str | None]]:
    """What stands at the end, and for each fault why it was skipped, by the rule and not by the engine."""
    first = next((kind for kind in kinds if kind in OUTCOMES), None)
    skipped: dict[str, str | None] = dict.fromkeys(kinds)
    for kind in kinds:
        if (kind in OUTCOMES and kind != first) or (kind == "latency" and first == "timeout"):
            skipped[kind] = "superseded"
        elif kind == "corrupt" and first is not None:
            skipped[kind] = "handler_not_run"
    return first or "own", skipped


ALONE = [[kind] for kind in KINDS]
PAIRS = [list(pair) for pair in itertools.permutations(KINDS, 2)]


@pytest.mark.parametrize("kinds", ALONE + PAIRS, ids="-".join)
def test_kinds_combine_by_the_rule_and_leave_nothing(
    one_function: Lambda, kinds: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Names of hosts are resolved by a thread of their own, and threads are counted here.
    monkeypatch.delenv("FAULTLAYER_TESTS_NOBODY", raising=False)
    one_function.write("app.py", APP)
    match = {"event": {"faulty": [True]}}
    faults = [{"id": kind, "kind": kind, "rate": 1, "match": match, **KINDS[kind]} for kind in kinds]
    plan = {"version": 1, "expires_at": "never", "faults": faults}
    outcome, skipped = expected(kinds)
    temporary = one_function.code / "tmp"
    temporary.mkdir()
    variables = {
        "TMPDIR": str(temporary),
        "FAULTLAYER_PLAN": json.dumps(plan),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
        # From 3.12 on the client fetches invocations in a thread of its own, which would be counted.
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.11",
    }
    # Where a `timeout` will hold past the deadline, that is near.
    with one_function.start(variables=variables, timeout_s=0.2 if outcome == "timeout" else 60) as environment:
        answer = environment.invoke({"faulty": True})
        if outcome == "exit":
            assert (answer.kind, answer.exit_status) == ("exit", 7)
        elif outcome in ("error", "timeout"):
            assert answer.json["errorType"] == {"error": "ConnectionError", "timeout": "FaultInjected"}[outcome]
        elif outcome == "response":
            assert answer.json == {"statusCode": 503, "headers": {}, "body": "busy"}
        else:
            assert answer.json["statusCode"] == 200
            assert (answer.json["body"] != BODY) == ("corrupt" in kinds)
            during = answer.json["usage"]
            assert bool(during["deleted"]) == ("disk" in kinds)
        if outcome != "exit":
            after, later = environment.invoke("look").json, environment.invoke("look").json
            assert after["deleted"] == []
            assert after["threads"] == later["threads"]
            assert after["tmp"] == []
            if outcome == "own":
                assert during["threads"] - after["threads"] == (1 if "cpu" in kinds else 0)
                assert (during["mib"] - after["mib"] > 28) == ("memory" in kinds)
        environment.close()
        assert list(temporary.iterdir()) == []
        told = {record["fault"]: record.get("reason") for record in environment.records()}
        told_skipped = {fault: reason for fault, reason in told.items() if reason}
        assert told_skipped == {fault: reason for fault, reason in skipped.items() if reason}
        # After a crash the rest of its records is lost, nothing else is.
        assert set(told) == set(kinds) or outcome == "exit"
