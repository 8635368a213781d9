"""Many calls at once: each meets its own faults, limits are exact, and whoever gives up is not held."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from faultlayer import Fault, Plan, Record, faults, inject, wrap
from helpers import double


def test_limits_are_exact_and_nobody_gets_another_s_fault_with_32_threads() -> None:
    records: list[Record] = []
    per_thread, limit = 200, 1000
    plan = Plan(
        Fault.payload("hit", id="half", rate=0.5, limit=limit),
        Fault.error("ConnectionError", "late", id="late", rate=0.3, when="after"),
        seed=3,
    )
    wrapped: Any = wrap(lambda event, context: context.aws_request_id, plan, records=records)
    reference: Any = wrap(lambda event, context: context.aws_request_id, Plan(*[]), records=[])
    fates: dict[str, str] = {}

    def run(thread: int) -> None:
        for number in range(per_thread):
            name = f"{thread}-{number}"
            context = SimpleNamespace(aws_request_id=name)
            assert reference({}, context) == name
            try:
                answer = wrapped({}, context)
                assert answer in ("hit", name)
                fates[name] = "hit" if answer == "hit" else "own"
            except ConnectionError:
                fates[name] = "late"

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(run, range(32)))
    assert len(fates) == 32 * per_thread
    injected = {(record["requestId"], record["fault"]) for record in records if record["action"] == "injected"}
    assert sum(fault == "half" for _, fault in injected) == limit
    for name, fate in fates.items():
        assert ((name, "half") in injected) == (fate == "hit")
        assert ((name, "late") in injected) == (fate == "late")


def test_interleaving_tasks_meet_their_own_faults_only() -> None:
    records: list[Record] = []
    plan = Plan(
        Fault.latency({"uniform": {"min": 0, "max": 5}}, id="slow", rate=0.7),
        Fault.payload("hit", id="half", rate=0.5, limit=100),
        Fault.error("ConnectionError", "late", id="late", rate=0.3, when="after"),
    )

    @inject(plan, records=records)
    async def handle(event: Any, context: Any) -> Any:
        await asyncio.sleep(0)
        return context.aws_request_id

    async def main() -> list[Any]:
        contexts = [SimpleNamespace(aws_request_id=f"task-{index}") for index in range(400)]
        return await asyncio.gather(*(handle({}, context) for context in contexts), return_exceptions=True)

    answers = asyncio.run(main())
    injected = {(record["requestId"], record["fault"]) for record in records if record["action"] == "injected"}
    assert sum(fault == "half" for _, fault in injected) == 100
    for index, answer in enumerate(answers):
        name = f"task-{index}"
        if (name, "half") in injected:
            assert answer == "hit"
        elif (name, "late") in injected:
            assert isinstance(answer, ConnectionError)
        else:
            assert answer == name


def test_a_cancelled_call_is_not_held() -> None:
    async def forever() -> None:
        await asyncio.sleep(60)

    async def main() -> float:
        task = asyncio.create_task(wrap(forever, Fault.latency(30_000, when="after"))())
        await asyncio.sleep(0.01)
        begun = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.monotonic() - begun

    assert asyncio.run(main()) < 10


def test_keyboard_interrupt_ends_a_hold() -> None:
    import _thread
    import signal

    wrapped = wrap(double, Fault.latency(60_000))
    # A process that is started in the background may have the signal ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        threading.Timer(0.05, _thread.interrupt_main).start()
        begun = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            wrapped(1)
        assert time.monotonic() - begun < 30
    finally:
        signal.signal(signal.SIGINT, before)


def test_of_1000_plans_under_16_callers_each_call_meets_one_and_limits_are_exact() -> None:
    records: list[Record] = []
    limit = 400

    def numbered(number: int) -> Plan:
        one, other = Fault.latency(number / 1000, id="one"), Fault.latency(number / 1000, id="other")
        # One of them comes and goes, and comes in another place.
        limited = [Fault.latency(number / 1000, id="limited", limit=limit)] if number % 3 else []
        return Plan(one, *limited, other, experiment="one")

    with faults(numbered(1), records=records, strict=False) as scope:
        wrapped: Any = scope.wrap(lambda event, context: None)
        over = threading.Event()

        def run(caller: int) -> None:
            number = 0
            while not over.is_set() or number < 100:
                wrapped({}, SimpleNamespace(aws_request_id=f"{caller}-{number}"))
                number += 1

        with ThreadPoolExecutor(16) as pool:
            running = [pool.submit(run, caller) for caller in range(16)]
            for number in range(2, 1001):
                seen = len(records)
                scope.replace(numbered(number))
                # However threads are scheduled, somebody calls before the next plan.
                while len(records) == seen:
                    time.sleep(0)
            over.set()
            for each in running:
                each.result()
    met: dict[str, list[Record]] = {}
    for record in records:
        assert record["action"] == "injected"
        met.setdefault(record["requestId"], []).append(record)
    assert len(met) >= 1600
    assert len({record["delay_ms"] for record in records}) > 100
    for hits in met.values():
        assert [hit["fault"] for hit in hits] in (["one", "other"], ["one", "limited", "other"])
        assert len({hit["delay_ms"] for hit in hits}) == 1
    assert sum(record["fault"] == "limited" for record in records) == limit
