"""Retries, exceptions and their fields are those that a real server's bytes lead to: each case once with the server
saying the error on the wire, and once with the plan in the client's own process."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from conftest import client
from faultlayer import faults
from proxy import Proxy
from services import SERVICES, Service, plan

MODES = ("legacy", "standard", "adaptive")
# Said anew for each answer.
VOLATILE = {"date", "server"}


def told(call: Any) -> dict[str, Any]:
    """All that a caller can see of a call."""
    try:
        answer = call()
    except (ClientError, BotoCoreError) as error:
        seen = {"class": f"{type(error).__module__}.{type(error).__qualname__}", "text": str(error)}
        return {**seen, **metadata(getattr(error, "response", None) or {})}
    return {"class": None, **metadata({"ResponseMetadata": answer["ResponseMetadata"]}, headers=False)}


def metadata(response: dict[str, Any], headers: bool = True) -> dict[str, Any]:
    said = dict(response.get("ResponseMetadata", {}))
    own = said.pop("HTTPHeaders", {})
    if not headers:
        return {"status": said.get("HTTPStatusCode"), "retries": said.get("RetryAttempts")}
    kept = {name: value for name, value in own.items() if name.lower() not in VOLATILE}
    rest = {name: value for name, value in response.items() if name != "ResponseMetadata"}
    return {"metadata": said, "headers": kept, "rest": rest}


def both(service: Service, proxy: Proxy, made: dict[str, Any], **config: Any) -> tuple[dict[str, Any], int]:
    """What the caller sees, and how many attempts were made: on the wire and in the process, which must be the same."""
    proxy.answer_by(made, service.operation)
    real = client(service.name, proxy.url, **config)
    on_the_wire, attempts = told(lambda: getattr(real, service.method)(**service.arguments)), proxy.attempts
    proxy.answer_by(None)
    mine = client(service.name, proxy.url, **config)
    with faults(made) as scope:
        in_process = told(lambda: getattr(mine, service.method)(**service.arguments))
    assert in_process == on_the_wire
    # What was answered in the process never reached the server.
    assert proxy.attempts + len(scope.injected) == attempts
    return in_process, attempts


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
def test_always(service: Service, mode: str, proxy: Proxy, no_backoff: None) -> None:
    config = {"retries": {"mode": mode, "total_max_attempts": 2 if mode == "adaptive" else 3}}
    seen, attempts = both(service, proxy, plan(service, error=service.retried), **config)
    assert attempts == config["retries"]["total_max_attempts"]
    assert service.retried in seen["text"]
    assert "injected by Faultlayer" in seen["text"]
    assert seen["metadata"]["RetryAttempts"] == attempts - 1
    assert seen["metadata"]["RequestId"].startswith("faultlayer-")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
def test_once(service: Service, mode: str, proxy: Proxy, no_backoff: None) -> None:
    made = plan(service, error=service.retried, calls={"first": 1})
    seen, attempts = both(service, proxy, made, retries={"mode": mode})
    assert (seen, attempts) == ({"class": None, "status": 200, "retries": 1}, 2)


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
def test_never_retried(service: Service, proxy: Proxy, no_backoff: None) -> None:
    seen, attempts = both(service, proxy, plan(service, error=service.final), retries={"mode": "standard"})
    assert attempts == 1
    assert f"({service.final})" in seen["text"]
    assert seen["metadata"]["RetryAttempts"] == 0


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
def test_delayed_beyond_the_clients_timeout(service: Service, proxy: Proxy, no_backoff: None) -> None:
    config = {"retries": {"mode": "standard", "total_max_attempts": 2}, "read_timeout": 0.2}
    proxy.answer_by(plan(service, delay_ms=700), service.operation)
    real = client(service.name, proxy.url, **config)
    on_the_wire, attempts = told(lambda: getattr(real, service.method)(**service.arguments)), proxy.attempts
    proxy.answer_by(None)
    mine = client(service.name, proxy.url, **config)
    with faults(plan(service, delay_ms=700)) as scope:
        in_process = told(lambda: getattr(mine, service.method)(**service.arguments))
    assert in_process == on_the_wire
    assert in_process["class"] == "botocore.exceptions.ReadTimeoutError"
    assert (attempts, len(scope.injected), proxy.attempts) == (2, 2, 0)


def test_an_answer_to_head_has_no_body_to_read_a_code_from(proxy: Proxy) -> None:
    head = Service("s3", "s3", "head_object", "HeadObject", {"Bucket": "orders", "Key": "none"}, "", "404")
    seen, attempts = both(head, proxy, plan(head, error="404"))
    assert (seen["class"], attempts) == ("botocore.exceptions.ClientError", 1)
    assert seen["rest"]["Error"] == {"Code": "404", "Message": "Not Found"}
