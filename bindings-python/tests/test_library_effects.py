"""Answers that lie, and faults that use up what the machine has."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import pytest
from faultlayer import Fault, Record, wrap
from helpers import called


def test_corrupt_mangles_a_copy() -> None:
    kept = {"statusCode": 200, "body": "a text that is long enough to show it"}

    async def answer_async() -> Any:
        return kept

    for function in (lambda: kept, answer_async):
        answer: Any = called(wrap(function, Fault.corrupt()))
        assert list(answer) == ["statusCode", "body"]
        assert answer["body"] != kept["body"]
        assert kept["body"] == "a text that is long enough to show it"
        assert called(wrap(function, Fault.corrupt_body(None))) is None
    records: list[Record] = []
    for value in (5, None, b"bytes", {"body": 5}, ["text"], "\ud800"):
        assert wrap(lambda value: value, Fault.corrupt(), records=records)(value) is value
    assert {record["reason"] for record in records} == {"nothing_to_corrupt"}
    text: Any = wrap(str, Fault.corrupt())("a text that is long enough to show it")
    assert text != "a text that is long enough to show it"


def resident_mib() -> float:
    fields = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in fields if line.startswith("VmRSS"))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("fails", [False, True])
def test_memory_is_occupied_while_the_call_runs_and_free_after_it(fails: bool) -> None:
    def measure() -> float:
        if fails:
            raise KeyError(resident_mib())
        return resident_mib()

    before = resident_mib()
    wrapped = wrap(measure, Fault.memory(64))
    if fails:
        with pytest.raises(KeyError) as caught:
            wrapped()
        during = caught.value.args[0]
    else:
        during = wrapped()
    assert during - before > 60
    assert resident_mib() - before < 16


def test_cpu_burns_beside_the_call_and_ends_with_it() -> None:
    def measure() -> int:
        begun = time.process_time()
        while time.process_time() - begun < 0.02:
            time.sleep(0.005)
        return len(list(Path("/proc/self/task").iterdir()))

    before = len(list(Path("/proc/self/task").iterdir()))
    assert wrap(measure, Fault.cpu(60_000, threads=2))() == before + 2
    assert len(list(Path("/proc/self/task").iterdir())) == before
