"""The layer's zip under the real client: the function's own boto3 meets the faults, whenever it loads it and wherever
it calls; where nothing is to be hit, or nothing can be, the function runs as it is, and a record says what it must."""

from __future__ import annotations

import json
import os
import sys
import textwrap
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from conftest import CREDENTIALS
from extension import Extension, eventually
from interpreters import NEWEST_CLIENT, ROOT
from interpreters import client as runtime_client
from proxy import Proxy
from runtime_api import Environment
from services import SERVICES

VERSION = "{}.{}".format(*sys.version_info)
CLIENT = runtime_client(VERSION, NEWEST_CLIENT)
PACKAGES = Path(boto3.__file__).parents[1]
DYNAMODB = SERVICES["dynamodb"]
FAULT = {
    "id": "throttle",
    "kind": "aws_call",
    "rate": 1,
    "target": {"service": ["dynamodb"], "operation": ["PutItem"]},
    "error": DYNAMODB.retried,
}

pytestmark = pytest.mark.skipif(not CLIENT.is_dir(), reason=f"awslambdaric for CPython {VERSION} is not there")

APP = """
import os, sys, traceback
from concurrent.futures import ThreadPoolExecutor

def table(**config):
    import boto3
    from botocore.config import Config
    config = Config(retries={"mode": "standard", "total_max_attempts": 2}, **config)
    return boto3.resource("dynamodb", endpoint_url=os.environ["URL"], config=config).Table("orders")

EARLY = table() if os.environ.get("WHEN") == "early" else None

def put():
    try:
        answer = (EARLY or table()).put_item(Item={"id": "1"})
        return {"retries": answer["ResponseMetadata"]["RetryAttempts"]}
    except Exception as error:
        return {"error": str(error), "stack": traceback.format_exc(), "kind": type(error).__name__}

def handler(event, context):
    if event == "threads":
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(lambda _: put(), range(2)))
    if event == "state":
        import botocore.endpoint
        hooked = type(vars(botocore.endpoint.Endpoint)["_do_get_response"]).__name__
        return [hooked, [type(finder).__name__ for finder in sys.meta_path]]
    return put()
"""


@pytest.fixture(scope="session")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    archive = Path(os.environ.get("FAULTLAYER_LAYER_ZIP", ROOT / "dist" / "layers" / "faultlayer-python-x86_64.zip"))
    opt = tmp_path_factory.mktemp("opt")
    with zipfile.ZipFile(archive) as files:
        files.extractall(opt)
    return opt


class Function:
    def __init__(self, layer: Path, code: Path, url: str) -> None:
        self.layer, self.code, self.url = layer, code, url
        (code / "app.py").write_text(APP, encoding="utf-8")

    @contextmanager
    def start(
        self, *faults: dict[str, Any], when: str = "early", source: dict[str, str] | None = None, **fields: Any
    ) -> Iterator[Environment]:
        """Under a plan of these faults, or under one from elsewhere, by `source`'s variables."""
        plan = {"version": 1, "expires_at": "never", "faults": faults, **fields}
        variables = {
            "URL": self.url,
            "WHEN": when,
            "FAULTLAYER_PLAN": json.dumps(plan),
            "AWS_ACCESS_KEY_ID": CREDENTIALS["aws_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": CREDENTIALS["aws_secret_access_key"],
            "AWS_DEFAULT_REGION": "eu-west-1",
            **(source or {}),
        }
        path = [CLIENT, PACKAGES]
        made = Environment(
            sys.executable, path, self.code, "app.handler", layer=self.layer, variables=variables, timeout_s=20
        )
        with made as environment:
            yield environment


@pytest.fixture
def function(layer: Path, tmp_path: Path, proxy: Proxy) -> Function:
    return Function(layer, tmp_path, proxy.url)


def told(environment: Environment) -> list[tuple[Any, ...]]:
    return [(one["action"], one.get("attempt"), one.get("reason")) for one in environment.records()]


@pytest.mark.parametrize("when", ["early", "late"])
def test_a_throttle_is_retried_by_the_functions_own_client(function: Function, when: str, proxy: Proxy) -> None:
    with function.start({**FAULT, "calls": {"first": 1}}, when=when) as environment:
        for _ in range(2):
            assert environment.invoke({}).json == {"retries": 1}
    assert told(environment) == [("injected", 1, None), ("skipped", None, "not_chosen")] * 2
    assert proxy.attempts == 2


def test_always_throttled_it_fails_as_the_sdk_fails_and_no_frame_of_ours_is_in_its_stack(function: Function) -> None:
    with function.start(FAULT) as environment:
        answer = environment.invoke({}).json
        assert answer["kind"] == "ProvisionedThroughputExceededException"
        assert "(reached max retries: 1): injected by Faultlayer" in answer["error"]
        assert "faultlayer" not in answer["stack"].replace("injected by Faultlayer", "")
    assert told(environment) == [("injected", 1, None), ("injected", 2, None)]


def test_calls_to_services_that_no_target_names_go_out_of_a_hit_invocation(function: Function, proxy: Proxy) -> None:
    """The engine is not asked for these: their signature tells."""
    with function.start({**FAULT, "target": {"service": ["s3"]}}) as environment:
        assert environment.invoke({}).json == {"retries": 0}
        assert environment.invoke("threads").json == [{"retries": 0}] * 2
    assert told(environment) == [("skipped", None, "no_call")] * 2
    assert proxy.attempts == 3


def test_errors_of_the_network_have_no_frame_of_ours_either(function: Function) -> None:
    function.url = "http://127.0.0.1:1"
    with function.start({**FAULT, "target": {"service": ["s3"]}}) as environment:
        answer = environment.invoke({}).json
        assert answer["kind"] == "EndpointConnectionError"
        assert "faultlayer" not in answer["stack"]
    assert told(environment) == [("skipped", None, "no_call")]


def test_calls_of_the_handlers_threads_are_the_invocations(function: Function) -> None:
    with function.start({**FAULT, "calls": {"first": 4}}) as environment:
        assert [one["kind"] for one in environment.invoke("threads").json] == [DYNAMODB.retried] * 2
    assert len(environment.records()) == 4


def test_a_delay_is_cut_before_the_deadlines_margin(function: Function) -> None:
    slow = {key: value for key, value in FAULT.items() if key != "error"} | {"delay_ms": 50_000}
    with function.start(slow, limits={"deadline_margin_ms": 10_000}) as environment:
        environment.invoke("state")
        assert environment.invoke({}, deadline_ms=int(time.time() * 1000) + 12_000).json == {"retries": 0}
    _, record = environment.records()
    assert (record["asked_ms"], record["cut_by"]) == (50_000.0, "deadline_margin")
    assert record["delay_ms"] < 2_000


@pytest.mark.parametrize("when", ["early", "late"])
def test_a_fault_that_a_later_plan_brings_hits_the_functions_client(function: Function, when: str) -> None:
    none: dict[str, Any] = {"version": 1, "expires_at": "never", "faults": []}
    with Extension() as extension:
        extension.plan(none)
        source = extension.variables("appconfig:shop/prod/faults")
        with function.start(when=when, source=source) as environment:

            def put() -> Any:
                answer = environment.invoke({}).json
                return answer.get("kind", answer)

            assert put() == {"retries": 0}
            extension.plan({**none, "faults": [FAULT]})
            eventually(put, DYNAMODB.retried)
            extension.plan({**none, "faults": [{**FAULT, "calls": {"first": 1}}]})
            eventually(put, {"retries": 1})
            extension.plan(none)
            eventually(put, {"retries": 0})
    assert [one for one in environment.records() if "fault" not in one] == []


def test_a_plan_without_such_a_fault_installs_nothing(function: Function) -> None:
    latency = {"id": "slow", "kind": "latency", "rate": 1, "delay_ms": 0}
    with function.start(latency) as environment:
        hooked, finders = environment.invoke("state").json
        assert (hooked, "Finder" in finders) == ("function", False)


def test_a_botocore_that_cannot_be_hooked_is_left_alone_and_said_to_be(function: Function) -> None:
    own = function.code / "botocore"
    own.mkdir()
    (own / "__init__.py").write_text("")
    (own / "endpoint.py").write_text(
        textwrap.dedent("""
        class Endpoint:
            def _do_get_response(self):
                pass
        """)
    )
    app = "def handler(event, context):\n    import botocore.endpoint\n    return 'ran'\n"
    (function.code / "app.py").write_text(app)
    with function.start(FAULT) as environment:
        for _ in range(2):
            assert environment.invoke({}).json == "ran"
    kept = [(one["reason"], one.get("fault")) for one in environment.records()]
    assert kept == [("no_call", "throttle"), ("internal_error", None), ("not_supported", "throttle")]
