"""`with faults(plan): client.put_item(...)` in a test: whose calls are hit, whatever clients there are and whoever
calls."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore import UNSIGNED
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError
from conftest import CREDENTIALS, client
from faultlayer import Fault, NoChanceError, faults, inject, wrap
from proxy import Proxy
from services import SERVICES, prepare

PUT = SERVICES["dynamodb"]
TARGET = {"service": ["dynamodb"], "operation": ["PutItem"]}
THROTTLE = Fault.aws_call(TARGET, PUT.retried, calls={"first": 1})
REFUSE = Fault.aws_call(TARGET, PUT.final)


def put(of: Any) -> Any:
    return of.put_item(**PUT.arguments)


@pytest.fixture
def dynamodb(proxy: Proxy) -> Any:
    return client("dynamodb", proxy.url, retries={"mode": "standard"})


def test_a_throttle_is_met_and_retried_with_no_mock_at_all(dynamodb: Any, no_backoff: None) -> None:
    with faults(THROTTLE) as chaos:
        answer = put(dynamodb)
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1
    told = [(one["action"], one.get("attempt"), one.get("reason"), one.get("calls")) for one in chaos.records]
    assert told == [("injected", 1, None, None), ("skipped", None, "not_chosen", 1)]


def test_the_typed_exception_of_the_client_catches_it(dynamodb: Any) -> None:
    with faults(REFUSE), pytest.raises(dynamodb.exceptions.ConditionalCheckFailedException):
        put(dynamodb)
    put(dynamodb)


def test_other_calls_of_the_block_are_not_hit_and_a_block_without_any_had_no_chance(dynamodb: Any) -> None:
    with faults(REFUSE) as chaos:
        dynamodb.list_tables()
    assert [(one["action"], one["reason"]) for one in chaos.records] == [("skipped", "no_call")]
    with pytest.raises(NoChanceError, match="no client of AWS's was called"), faults(REFUSE):
        pass


def test_resources_and_clients_made_before_and_inside_the_block_are_hit(proxy: Proxy) -> None:
    import boto3

    before = boto3.resource("dynamodb", endpoint_url=proxy.url, **CREDENTIALS).Table("orders")
    with faults(REFUSE):
        inside = boto3.resource("dynamodb", endpoint_url=proxy.url, **CREDENTIALS).Table("orders")
        for table in (before, inside):
            with pytest.raises(ClientError, match="injected by Faultlayer"):
                table.put_item(Item={"id": "1"})
    before.put_item(Item={"id": "1"})


def test_around_a_function_its_own_calls_are_hit_and_those_of_the_block_are_not(dynamodb: Any) -> None:
    handler = wrap(lambda event: put(dynamodb), REFUSE)
    with pytest.raises(ClientError, match="injected by Faultlayer"):
        handler({})
    put(dynamodb)


@inject()
def order(of: Any) -> Any:
    return put(of)


def test_an_injection_points_calls_are_its_own_decision_not_the_blocks(dynamodb: Any) -> None:
    rare = {"version": 1, "expires_at": "never", "faults": [{**REFUSE.fields, "id": "f", "rate": 1, "limit": 1}]}
    with faults(rare) as chaos:
        with pytest.raises(ClientError):
            order(dynamodb)
        order(dynamodb)
    assert [one["requestId"] for one in chaos.records if one["action"] == "injected"] == ["call-1"]


def test_calls_of_other_threads_are_hit_only_where_the_scope_is_everywhere(dynamodb: Any) -> None:
    def elsewhere() -> Any:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(put, dynamodb).result()

    with faults(REFUSE, strict=False) as chaos:
        elsewhere()
    assert [one.reason for one in chaos.no_chance] == ["other_thread"]
    with faults(REFUSE, everywhere=True), pytest.raises(ClientError):
        elsewhere()


def test_concurrent_tasks_each_have_their_own_invocation(dynamodb: Any) -> None:
    ends = asyncio.Event()

    async def hit(event: Any) -> str:
        await ends.wait()
        try:
            put(dynamodb)
        except ClientError:
            return "hit"
        return "free"

    async def free(event: Any) -> str:
        answer = await hit(event)
        ends.set()
        return answer

    async def main() -> list[str]:
        around_one = wrap(hit, REFUSE)
        never = wrap(free, {"version": 1, "expires_at": "never", "faults": [{**REFUSE.fields, "id": "f", "rate": 0}]})
        tasks = [asyncio.create_task(function({})) for function in (around_one, never, around_one, hit)]
        await asyncio.sleep(0)
        ends.set()
        return await asyncio.gather(*tasks)

    assert asyncio.run(main()) == ["hit", "free", "hit", "free"]


def test_a_delay_holds_the_call_and_a_dry_run_records_alone(dynamodb: Any) -> None:
    slow = Fault.aws_call(TARGET, delay_ms=30)
    with faults(slow) as chaos:
        put(dynamodb)
    assert [(one["action"], one["delay_ms"]) for one in chaos.records] == [("injected", 30.0)]
    with faults(
        {"version": 1, "expires_at": "never", "dry_run": True, "faults": [{**REFUSE.fields, "id": "f", "rate": 1}]}
    ) as dry:
        put(dynamodb)
    assert [one["action"] for one in dry.records] == ["dry_run"]


@pytest.mark.faultlayer(REFUSE)
def test_a_marker_hits_the_tests_own_calls(dynamodb: Any, faultlayer: Any) -> None:
    with pytest.raises(ClientError):
        put(dynamodb)
    assert faultlayer.injected == ["aws_call"]


def test_a_call_that_is_hit_never_reaches_a_mock_in_the_process(in_process_mock: None) -> None:
    mocked = client("dynamodb", None)
    prepare(mocked)
    with faults(REFUSE), pytest.raises(ClientError, match="injected by Faultlayer"):
        put(mocked)
    assert mocked.scan(TableName="orders")["Count"] == 0
    put(mocked)
    assert mocked.scan(TableName="orders")["Count"] == 1


def test_where_no_plan_is_about_calls_botocore_stays_as_it_is() -> None:
    code = """
import sys
from faultlayer import Fault, faults, wrap
before = list(sys.meta_path)
assert wrap(len, Fault.latency(1))("ab") == 2
assert sys.meta_path == before
import botocore.endpoint
asks = lambda: type(vars(botocore.endpoint.Endpoint)["_do_get_response"]).__name__
assert asks() == "function"
wrap(len, Fault.aws_call({"service": ["s3"]}, "SlowDown"))
assert asks() == "Between"
import aiobotocore.endpoint
for name in ("Endpoint", "AioEndpoint"):
    assert type(vars(getattr(aiobotocore.endpoint, name))["_do_get_response"]).__name__ == "Between"
"""
    path = Path(__file__).parents[2] / "bindings-python" / "python"
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(path)}, check=True)


def test_botocore_imported_later_keeps_its_own_loader_and_is_hit() -> None:
    code = """
import sys
from faultlayer import Fault, wrap
around = wrap(lambda: None, Fault.aws_call({"service": ["s3"]}, "SlowDown"))
import botocore.endpoint, importlib.machinery, inspect
assert type(botocore.endpoint.__loader__) is importlib.machinery.SourceFileLoader
assert type(botocore.endpoint.__spec__.loader) is importlib.machinery.SourceFileLoader
assert "class Endpoint" in inspect.getsource(botocore.endpoint)
assert type(vars(botocore.endpoint.Endpoint)["_do_get_response"]).__name__ == "Between"
"""
    path = Path(__file__).parents[2] / "bindings-python" / "python"
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(path)}, check=True)


FORMS: dict[str, dict[str, Any]] = {
    "path": {"s3": {"addressing_style": "path"}},
    "virtual host": {"s3": {"addressing_style": "virtual"}},
    "signed in the query": {"signature_version": "s3v4-query"},
    "anonymous": {"signature_version": UNSIGNED},
    "by the older signature": {"signature_version": "s3"},
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_call_is_hit_by_its_service_alone(form: str, no_backoff: None) -> None:
    """Most of those to other services are not even asked for: their signature tells."""
    s3 = client("s3", None, retries={"mode": "standard", "total_max_attempts": 2}, **FORMS[form])
    passed: list[Any] = []

    def answers(request: Any, **_: Any) -> AWSResponse:
        passed.append(request)
        return AWSResponse(request.url, 200, {}, SimpleNamespace(stream=lambda: iter([b""])))

    s3.meta.events.register("before-send", answers)
    get_object = partial(s3.get_object, Bucket="orders", Key="a/b")
    with faults(Fault.aws_call({"service": ["sqs", "s3"]}, "SlowDown")) as chaos, pytest.raises(ClientError) as raised:
        get_object()
    assert raised.value.response["Error"]["Code"] == "SlowDown"
    assert [(one["service"], one["attempt"]) for one in chaos.records] == [("s3", 1), ("s3", 2)]
    assert passed == []
    for target in ({"service": ["sqs"]}, {"service": ["s3"], "operation": ["PutObject"]}):
        with faults(Fault.aws_call(target, "SlowDown")) as chaos:
            get_object()
        assert [(one["action"], one["reason"]) for one in chaos.records] == [("skipped", "no_call")]
    assert len(passed) == 2


def test_threads_of_many_calls_are_counted_exactly(dynamodb: Any) -> None:
    barrier = threading.Barrier(4)

    def four(_: int) -> bool:
        barrier.wait()
        try:
            put(dynamodb)
        except ClientError:
            return True
        return False

    limited = {"version": 1, "expires_at": "never", "faults": [{**REFUSE.fields, "id": "f", "rate": 1, "limit": 2}]}
    with faults(limited, everywhere=True), ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(four, range(4))) == [False, False, True, True]
