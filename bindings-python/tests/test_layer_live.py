"""Plans that come from a place and change there, through the real client: the function never waits for them."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import botocore  # type: ignore[import-untyped]
import pytest
from conftest import Lambda
from extension import PATIENCE_S, Extension, eventually
from runtime_api import Environment

APPCONFIG = "appconfig:shop/prod/faults"
PARAMETER = "parameter:/faults/checkout"
HELLO = "def handler(event, context):\n    return 'own'\n"


def plan(payload: str, expires_at: str = "never", **fields: Any) -> dict[str, Any]:
    fault = {"id": "it", "kind": "response", "rate": 1, "payload": payload, **fields}
    return {"version": 1, "expires_at": expires_at, "faults": [fault]}


@pytest.fixture
def extension() -> Iterator[Extension]:
    with Extension() as extension:
        yield extension


def until(environment: Environment, answer: str, event: Any = None, **call: Any) -> None:
    """Invokes until that is the answer."""
    eventually(lambda: environment.invoke(event, **call).json, answer)


def reasons(environment: Environment, last: str | None = None) -> list[str]:
    """Waits for the last one, where it is given: a plan that can be read again is in force before that is written."""
    if last:
        eventually(lambda: own(environment)[-1:], [last])
    environment.close()
    return own(environment)


def own(environment: Environment) -> list[str]:
    return [record["reason"] for record in environment.records() if "fault" not in record]


def test_a_plan_in_appconfig_is_there_from_the_first_invocation_and_others_follow(
    function: Lambda, extension: Extension
) -> None:
    function.write("app.py", HELLO)
    extension.plan(plan("one"))
    with function.start(variables=extension.variables(APPCONFIG)) as environment:
        assert environment.invoke().json == "one"
        extension.plan(plan("two", match={"event": {"who": ["me"]}}))
        until(environment, "own", {"who": "you"})
        # What the new plan asks of the event is read though the one before asked for nothing.
        assert environment.invoke({"who": "me"}).json == "two"
        extension.plan(plan("three", match={"context": {"client_context": {"custom": {"a": ["b"]}}}}))
        until(environment, "three", client_context={"custom": {"a": "b"}})
        assert environment.invoke({"who": "me"}).json == "own"
        extension.plan({**plan("never"), "faults": []})
        until(environment, "own", client_context={"custom": {"a": "b"}})
        assert {call["path"] for call in extension.asked()} == {
            "/applications/shop/environments/prod/configurations/faults"
        }
        assert {call["token"] for call in extension.asked()} == {None}
        assert reasons(environment) == []


def test_a_parameter_is_read_once_its_extension_serves_which_it_does_not_before_the_first_invocation(
    one_function: Lambda, extension: Extension
) -> None:
    one_function.write("app.py", "import time\ntime.sleep(0.3)\n" + HELLO)
    extension.plan(plan("one"))
    extension.become("init")
    with one_function.start(variables=extension.variables(PARAMETER)) as environment:
        environment.send()
        while environment._answers.empty():
            time.sleep(0.01)
        assert environment.answer().json == "own"
        asked = [
            {
                "path": "/systemsmanager/parameters/get?name=%2Ffaults%2Fcheckout&withDecryption=true",
                "token": "token+/=",
            }
        ]
        assert extension.asked() in ([], asked)
        extension.become("well")
        until(environment, "one")
        assert extension.asked()[-1:] == asked
        environment.close()
        assert [record["reason"] for record in environment.records() if "fault" not in record] in (
            [],
            ["plan_unreadable", "plan_readable"],
        )


WAYS = ["silent", "slow", "failing", "garbage", "short", "large", "closing", "gone"]


# Both are read by the same code.
@pytest.mark.parametrize(("way", "source"), [*((way, APPCONFIG) for way in WAYS), ("silent", PARAMETER)])
def test_an_extension_in_trouble_leaves_the_function_alone_and_is_told_once(
    one_function: Lambda, extension: Extension, way: str, source: str
) -> None:
    one_function.write("app.py", HELLO)
    extension.plan(plan("one"))
    extension.become(way)
    with one_function.start(variables=extension.variables(source)) as environment:
        # While somebody waits for it, none of these does.
        for _ in range(50):
            assert environment.invoke().json == "own"
        if way in ("silent", "slow"):
            assert len(extension.asked()) == 1
            assert environment.records() == []
        extension.become("well")
        until(environment, "one")
        assert reasons(environment, last="plan_readable") == ["plan_unreadable", "plan_readable"]


def test_under_an_extension_that_vanished_the_last_plan_stands_until_it_ends(
    one_function: Lambda, extension: Extension
) -> None:
    one_function.write("app.py", HELLO)
    end = datetime.now(timezone.utc) + timedelta(seconds=8)
    extension.plan(plan("one", end.isoformat()))
    with one_function.start(variables=extension.variables(APPCONFIG)) as environment:
        assert environment.invoke().json == "one"
        extension.become("gone")
        while (begun := datetime.now(timezone.utc)) < end + timedelta(seconds=0.2):
            answer = environment.invoke().json
            if begun > end:
                assert answer == "own"
            elif datetime.now(timezone.utc) < end:
                assert answer == "one"
            time.sleep(0.1)
        assert reasons(environment) == ["plan_unreadable"]


def test_a_file_is_read_again_also_where_there_was_none_or_none_that_holds(
    one_function: Lambda, tmp_path: Path
) -> None:
    one_function.write("app.py", HELLO)
    file = tmp_path / "plan.json"

    def write(text: str) -> None:
        # As a whole: what is half written is no plan, and is told.
        new = tmp_path / "new"
        new.write_text(text)
        new.replace(file)

    variables = {"FAULTLAYER_PLAN": f"file:{file}", "FAULTLAYER_PLAN_REFRESH_S": "0"}
    with one_function.start(variables=variables) as environment:
        assert environment.invoke().json == "own"
        for text, answer in ((json.dumps(plan("one")), "one"), (json.dumps(plan("two")), "two")):
            write(text)
            until(environment, answer)
        write("{")
        for _ in range(20):
            assert environment.invoke().json == "two"
            time.sleep(0.01)
        write(json.dumps(plan("three")))
        until(environment, "three")
        told = reasons(environment, last="plan_readable")
        assert told == ["plan_unreadable", "plan_readable", "plan_invalid", "plan_readable"]


def test_limits_go_on_counting_under_the_next_plan(one_function: Lambda, extension: Extension) -> None:
    one_function.write("app.py", HELLO)
    extension.plan(plan("one", limit=2))
    with one_function.start(variables=extension.variables(APPCONFIG)) as environment:
        assert [environment.invoke().json for _ in range(3)] == ["one", "one", "own"]
        extension.plan(plan("two", limit=3))
        until(environment, "two")
        assert environment.invoke().json == "own"


def test_after_a_snapshot_was_restored_the_plan_is_read_anew(one_function: Lambda, extension: Extension) -> None:
    one_function.write("app.py", HELLO)
    extension.plan(plan("one"))
    variables = {**extension.variables(APPCONFIG), "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
    with one_function.start(variables=variables) as environment:
        # No invocation has come yet.
        end = time.monotonic() + PATIENCE_S
        while len(extension.asked()) < 2:
            assert time.monotonic() < end, environment.log()
            time.sleep(0.01)
        assert environment.invoke().json == "one"


CONNECTS = """
import socket
def handler(port, context):
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
        return "connected"
    except OSError as error:
        return type(error).__name__
"""


def test_faults_in_connections_that_come_later_hit_them_and_never_the_reading_itself(
    one_function: Lambda, extension: Extension
) -> None:
    one_function.write("app.py", CONNECTS)
    network = {"kind": "network", "target": {"host": ["127.0.0.1"]}, "effect": "refuse"}
    none = {**plan("never"), "faults": []}
    extension.plan(none)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with one_function.start(variables=extension.variables(APPCONFIG)) as environment:
            assert environment.invoke(port).json == "connected"
            # All of loopback, where the extension is too, at a port that is not its usual one.
            extension.plan({**none, "faults": [{"id": "db", "rate": 1, **network}]})
            until(environment, "ConnectionRefusedError", port)
            extension.plan(none)
            until(environment, "connected", port)
            assert reasons(environment) == []


CALLS = f"""
import sys
sys.path.append({str(Path(botocore.__file__).parents[1])!r})
import botocore.session
from botocore.config import Config
SQS = botocore.session.Session().create_client(
    "sqs", "eu-west-1", endpoint_url="http://127.0.0.1:1", aws_access_key_id="a", aws_secret_access_key="b",
    config=Config(retries={{"total_max_attempts": 1}}))
def handler(event, context):
    try:
        SQS.list_queues()
    except Exception as error:
        return type(error).__name__
"""


def test_faults_in_calls_to_aws_that_come_later_hit_them(one_function: Lambda, extension: Extension) -> None:
    one_function.write("app.py", CALLS)
    none = {**plan("never"), "faults": []}
    extension.plan(none)

    def throttles(service: str) -> None:
        fault = {"id": service, "kind": "aws_call", "rate": 1, "target": {"service": [service]}, "error": "Throttling"}
        extension.plan({**none, "faults": [fault]})

    with one_function.start(variables=extension.variables(APPCONFIG), timeout_s=60) as environment:
        assert environment.invoke().json == "EndpointConnectionError"
        throttles("sqs")
        until(environment, "ClientError")
        # What an invocation's calls are is told by its own plan.
        throttles("s3")
        until(environment, "EndpointConnectionError")
        throttles("sqs")
        until(environment, "ClientError")
        extension.plan(none)
        until(environment, "EndpointConnectionError")
        assert reasons(environment) == []
        told = {(record["fault"], record["action"]) for record in environment.records()}
        assert told == {("sqs", "injected"), ("s3", "skipped")}


def test_disabled_nobody_is_asked(one_function: Lambda, extension: Extension) -> None:
    one_function.write("app.py", HELLO)
    extension.plan(plan("one"))
    variables = {**extension.variables(APPCONFIG), "FAULTLAYER_DISABLED": "1"}
    with one_function.start(variables=variables) as environment:
        assert [environment.invoke().json for _ in range(3)] == ["own"] * 3
        assert extension.asked() == []
        assert reasons(environment) == ["disabled"]


def test_a_wrong_age_is_told_and_the_usual_one_taken(one_function: Lambda, extension: Extension) -> None:
    one_function.write("app.py", HELLO)
    extension.plan(plan("one"))
    variables = {**extension.variables(APPCONFIG), "FAULTLAYER_PLAN_REFRESH_S": "soon"}
    with one_function.start(variables=variables) as environment:
        assert [environment.invoke().json for _ in range(20)] == ["one"] * 20
        assert len(extension.asked()) == 1
        assert reasons(environment) == ["refresh_invalid"]


SAYS_WHICH = "import os\ndef handler(event, context):\n    return os.getpid()\n"


def test_of_1000_plans_under_16_callers_each_call_meets_one_and_limits_are_exact(
    one_function: Lambda, extension: Extension
) -> None:
    callers, changes, limit = 16, 1000, 20
    one_function.write("app.py", SAYS_WHICH)

    def numbered(number: int) -> dict[str, Any]:
        def fault(name: str, **more: Any) -> dict[str, Any]:
            return {"id": name, "kind": "latency", "rate": 1, "delay_ms": number / 1000, **more}

        # One of them comes and goes, and comes in another place.
        limited = [fault("limited", limit=limit)] if number % 3 else []
        faults = [fault("one"), *limited, fault("other")]
        return {"version": 1, "experiment": "one", "expires_at": "never", "faults": faults}

    extension.plan(numbered(1))
    # This client serves several at once by as many processes, each of which counts for itself.
    variables = {**extension.variables(APPCONFIG), "AWS_LAMBDA_MAX_CONCURRENCY": str(callers)}
    answered: dict[int, list[str]] = {}
    with one_function.start(variables=variables, timeout_s=60) as environment:

        def take() -> None:
            """Takes one answer, and calls again in its place."""
            answer = environment.answer()
            answered.setdefault(answer.json, []).append(answer.request_id)
            environment.send()

        for _ in range(callers):
            environment.send()
        for number in range(2, changes + 1):
            extension.plan(numbered(number))
            take()
        enough = {process: len(answered.get(process, [])) + 2 * limit for process in answered}
        while len(answered) < callers or any(len(answered[each]) < enough.get(each, 2 * limit) for each in answered):
            take()
        environment.close()
        met: dict[str, list[dict[str, Any]]] = {request: [] for requests in answered.values() for request in requests}
        for record in environment.records():
            assert record["action"] == "injected", record
            # Calls that were under way at the end may have been cut off between two faults.
            met.get(record["requestId"], []).append(record)
    for hits in filter(None, met.values()):
        assert [hit["fault"] for hit in hits] in (["one", "other"], ["one", "limited", "other"])
        assert len({hit["delay_ms"] for hit in hits}) == 1
    assert len({hits[0]["delay_ms"] for hits in met.values() if hits}) > 100
    for requests in answered.values():
        # The first ones may have come before the first plan.
        counts = [len(met[request]) for request in requests]
        assert 0 not in counts[next(index for index, count in enumerate(counts) if count) :]
        assert counts.count(3) == limit


FORKS = """
import os
def handler(event, context):
    if event != "fork":
        return "own"
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        # A process of its own, with neither threads nor connections of this one's.
        import faultlayer_layer, time
        answers = []
        end = time.monotonic() + 20
        while not answers or answers[-1] != "after" and time.monotonic() < end:
            answers.append(faultlayer_layer.handler("child", context))
            time.sleep(0.01)
        os.write(writing, answers[-1].encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as said:
        return said.read()
"""


def test_a_process_that_forked_reads_for_itself(one_function: Lambda, extension: Extension, tmp_path: Path) -> None:
    one_function.write("app.py", FORKS)
    extension.plan(plan("before", match={"event": {"of": ["nobody"]}}))
    with one_function.start(variables=extension.variables(APPCONFIG), timeout_s=60) as environment:
        environment.send("fork")
        while len(extension.asked()) < 4:
            time.sleep(0.01)
        extension.plan(plan("after"))
        assert environment.answer().json == "after"
