"""aiobotocore: the same hook, without blocking the loop."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import aiobotocore.endpoint
import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from conftest import CREDENTIALS
from faultlayer import faults
from proxy import Proxy
from services import SERVICES, Service, plan
from test_fidelity import metadata


@pytest.fixture(autouse=True)
def no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(_: float) -> None:
        pass

    named = {name: getattr(asyncio, name) for name in dir(asyncio) if not name.startswith("__")}
    monkeypatch.setattr(aiobotocore.endpoint, "asyncio", SimpleNamespace(**{**named, "sleep": at_once}))


async def told(service: Service, proxy: Proxy, **config: Any) -> dict[str, Any]:
    credentials = {**CREDENTIALS, "endpoint_url": proxy.url, "config": AioConfig(**config)}
    async with get_session().create_client(service.name, **credentials) as client:
        try:
            answer = await getattr(client, service.method)(**service.arguments)
        except Exception as error:
            return {
                "class": type(error).__qualname__,
                "text": str(error),
                **metadata(getattr(error, "response", None) or {}),
            }
        return {"class": None, **metadata(answer, headers=False)}


CASES = {
    "always": {},
    "once": {"calls": {"first": 1}},
    "delayed": {"delay_ms": 700},
}


# After `100 Continue`, which S3's client asks for, aiohttp at times waits for a real server beyond its read timeout.
BOTH = [(name, case) for name in ("dynamodb", "s3", "sns") for case in CASES if (name, case) != ("s3", "delayed")]


@pytest.mark.parametrize(("name", "case"), BOTH)
async def test_it_is_as_on_the_wire(name: str, case: str, proxy: Proxy) -> None:
    service = SERVICES[name]
    fields = CASES[case]
    made = plan(service, **(fields if case == "delayed" else {"error": service.retried, **fields}))
    config: dict[str, Any] = {"retries": {"mode": "standard", "total_max_attempts": 2}}
    if case == "delayed":
        config["read_timeout"] = 0.2
    proxy.answer_by(made, service.operation)
    on_the_wire = await told(service, proxy, **config)
    proxy.answer_by(None)
    async with faults(made):
        in_process = await told(service, proxy, **config)
    assert in_process == on_the_wire
    assert in_process["class"] == {"once": None, "delayed": "ReadTimeoutError"}.get(case, in_process["class"])


async def test_a_loop_goes_on_while_a_call_is_delayed(proxy: Proxy) -> None:
    service = SERVICES["sts"]
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0.01)

    ticking = asyncio.create_task(tick())
    async with faults(plan(service, delay_ms=300)) as chaos:
        seen = await told(service, proxy)
    ticking.cancel()
    assert (seen["class"], chaos.injected) == (None, ["f"])
    assert ticks > 5
