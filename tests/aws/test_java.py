"""Java: what the SDKs make of the engine's answers, given in the process by the layer's agent, is what they make of the
same bytes from a real server. One environment for each JVM serves all cases: a case's fault is for the events that name
it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from extension import Extension
from java import CLIENT, JavaFunction, homes, is_there, of_case, plan
from proxy import Proxy
from services import SERVICES
from services import plan as plan_of

pytestmark = pytest.mark.skipif(
    not is_there(), reason="the Java function, its runtime client or the layer is not there"
)

SYNC = ("dynamodb", "s3", "sqs", "sts", "lambda", "cloudwatch")
WAYS = [
    *(("apache", service) for service in SYNC),
    *((client, "dynamodb") for client in ("apache5", "url", "crt", "netty", "crt-async", "v1")),
    ("netty", "lambda"),
]
KINDS: dict[str, Any] = {
    "always": lambda service: {"error": service.retried},
    "once": lambda service: {"error": service.retried, "calls": {"first": 1}},
    "final": lambda service: {"error": service.final},
    "slow": lambda _: {"delay_ms": 700},
}
# These have no timeout of their own for an answer; the SDK's for an attempt ends theirs.
WITHOUT_READ_TIMEOUT = {"crt", "crt-async"}
ATTEMPTS = 3


def fault(kind: str, service: str) -> dict[str, Any]:
    [made] = plan_of(SERVICES[service], **KINDS[kind](SERVICES[service]))["faults"]
    return made


def by(*operation: Any) -> dict[str, Any]:
    made = fault("final", "dynamodb")
    return {**made, "target": {**made["target"], "operation": operation}}


# Beside those that name the operation that is called.
OPERATIONS = {"another": by("GetItem", "PutItems"), "prefix": by("GetItem", {"prefix": "Put"})}


def cases() -> list[dict[str, Any]]:
    of_services = [
        of_case(fault(kind, service), f"{kind}-{client}-{service}") for client, service in WAYS for kind in KINDS
    ]
    return [*of_services, *(of_case(made, name) for name, made in OPERATIONS.items())]


class Shared:
    """One environment, and the server that its calls reach where they go out."""

    def __init__(self, function: JavaFunction, proxy: Proxy) -> None:
        self.function, self.proxy = function, proxy

    def both(self, kind: str, client: str, service: str, **fields: Any) -> tuple[Any, int]:
        """What the caller sees, and how many attempts were made: the same on the wire and in the process."""
        asked = SERVICES[service]
        self.proxy.answer_by(plan_of(asked, **KINDS[kind](asked)), asked.operation)
        on_the_wire, attempts = self.function.call(client, service, "wire", **fields), self.proxy.attempts
        self.proxy.answer_by(None)
        case = f"{kind}-{client}-{service}"
        before = self.hits(case, 0)
        in_process = self.function.call(client, service, case, **fields)
        assert plain(in_process) == plain(on_the_wire)
        went_out = 0 if kind == "slow" else self.proxy.attempts
        assert self.hits(case, before + attempts - went_out) - before + went_out == attempts
        return in_process, attempts

    def hits(self, case: str, at_least: int) -> int:
        """How many attempts were hit, by the records."""
        return len(self.records(case, "injected", at_least))

    def missed(self, case: str, at_least: int = 0) -> list[str]:
        """Why invocations were not hit."""
        return [one["reason"] for one in self.records(case, "skipped", at_least)]

    def records(self, case: str, action: str, at_least: int) -> list[dict[str, Any]]:
        """They come by way of the log."""
        until = time.monotonic() + 5
        while True:
            found = [one for one in self.function.records() if one.get("fault") == case and one["action"] == action]
            if len(found) >= at_least or time.monotonic() > until:
                return found
            time.sleep(0.02)


def plain(outcome: Any) -> Any:
    """Without what is each invocation's own, and what Netty's client knows of a connection."""
    text = re.sub(r" Channel Information: ChannelDiagnostics\([^()]*\)", "", json.dumps(outcome))
    return json.loads(re.sub(r"faultlayer-[0-9a-f]+", "ID", text))


@pytest.fixture(scope="module", params=homes() or ["none"])
def shared(request: pytest.FixtureRequest, moto: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    proxy = Proxy(moto)
    variables = {"URL": proxy.url, "FAULTLAYER_PLAN": plan(*cases())}
    folder = tmp_path_factory.mktemp("java")
    with JavaFunction(homes()[request.param], folder, variables) as function:
        yield Shared(function, proxy)
        noise = [one for one in function.records() if one.get("reason") == "internal_error"]
    assert noise == []
    proxy.close()


@pytest.mark.parametrize(("client", "service"), WAYS)
def test_retries_and_errors_are_those_that_a_real_servers_bytes_lead_to(
    client: str, service: str, shared: Shared
) -> None:
    always, attempts = shared.both("always", client, service)
    assert attempts == ATTEMPTS
    assert always["code"] == SERVICES[service].retried
    assert always["message"] == "injected by Faultlayer"
    assert always["requestId"].startswith("faultlayer-")
    assert not always["ours"]
    assert shared.both("once", client, service) == ("ok", 2)
    final, attempts = shared.both("final", client, service)
    assert (final["code"], attempts) == (SERVICES[service].final, 1)


@pytest.mark.parametrize("client", ["apache", "apache5", "url", "crt", "netty", "crt-async", "v1"])
def test_a_delay_beyond_the_clients_timeout_ends_as_that_does(client: str, shared: Shared) -> None:
    how = {"impatient": True} if client in WITHOUT_READ_TIMEOUT else {"hasty": True}
    seen, attempts = shared.both("slow", client, "dynamodb", **how)
    assert attempts == ATTEMPTS
    assert isinstance(seen, dict), seen


@pytest.mark.parametrize("client", ["apache", "v1"])
def test_a_delay_is_cut_by_the_sdks_own_timeout_for_an_attempt(client: str, shared: Shared) -> None:
    seen, attempts = shared.both("slow", client, "dynamodb", impatient=True)
    assert attempts == ATTEMPTS
    assert "Timeout" in str(seen["classes"])


def test_a_delay_over_netty_is_cut_by_it_too(shared: Shared) -> None:
    """A real one ends in one of two ways, whichever thread is first."""
    seen = shared.function.call("netty", "dynamodb", "slow-netty-dynamodb", impatient=True)
    assert "ApiCallAttemptTimeoutException" in str(seen)
    assert not seen["ours"]


def test_a_shorter_delay_only_holds_the_call(shared: Shared) -> None:
    started = time.monotonic()
    assert shared.function.call("netty", "dynamodb", "slow-netty-dynamodb") == "ok"
    assert shared.function.call("apache", "dynamodb", "slow-apache-dynamodb") == "ok"
    assert time.monotonic() - started > 1.4


def test_calls_of_the_handlers_threads_are_the_invocations(shared: Shared) -> None:
    seen = shared.function.call("apache", "dynamodb", "always-apache-dynamodb", elsewhere=True)
    assert seen["code"] == SERVICES["dynamodb"].retried


def test_an_invocation_that_nothing_is_drawn_for_calls_as_ever(shared: Shared) -> None:
    assert shared.function.call("apache", "dynamodb", "none") == "ok"
    assert shared.function.call("v1", "dynamodb", "none") == "ok"


def test_calls_to_services_that_no_target_names_go_out_of_a_hit_invocation(shared: Shared) -> None:
    """The engine is not asked for these: their signature tells."""
    for client, service, hit in (("apache", "sqs", "dynamodb"), ("netty", "lambda", "dynamodb")):
        assert shared.function.call(client, service, f"always-{client}-{hit}") == "ok"
    assert shared.function.call("v1", "dynamodb", "always-apache-s3") == "ok"


@pytest.mark.parametrize("client", ["apache", "netty", "v1"])
def test_calls_by_an_operation_that_no_target_names_go_out_of_a_hit_invocation(client: str, shared: Shared) -> None:
    """Nor is the engine asked for these, where each target names its operations as they are."""
    missed = len(shared.missed("another"))
    assert shared.function.call(client, "dynamodb", "another") == "ok"
    assert shared.missed("another", missed + 1)[missed:] == ["no_call"]
    seen = shared.function.call(client, "dynamodb", "prefix")
    assert seen["code"] == SERVICES["dynamodb"].final


def test_the_sdk_is_changed_where_the_plan_has_such_a_fault(shared: Shared) -> None:
    assert shared.function.call("none", "", "none") is True


def home() -> str:
    return next(iter(homes().values()))


def test_a_plan_without_such_a_fault_installs_nothing(tmp_path: Path) -> None:
    latency = {"id": "slow", "kind": "latency", "rate": 1, "delay_ms": 0}
    with JavaFunction(home(), tmp_path, {"URL": "http://127.0.0.1:1", "FAULTLAYER_PLAN": plan(latency)}) as function:
        assert function.call("none", "", "none") is False


def test_of_several_invocations_at_once_the_thread_tells_whose_a_call_is(tmp_path: Path, moto: int) -> None:
    proxy = Proxy(moto)
    faults = [of_case(fault("always", "dynamodb"), f"always-{client}-dynamodb") for client in ("apache", "netty")]
    variables = {"URL": proxy.url, "FAULTLAYER_PLAN": plan(*faults), "AWS_LAMBDA_MAX_CONCURRENCY": "2"}
    with JavaFunction(home(), tmp_path, variables) as function:
        for client in ("apache", "netty"):
            seen = function.call(client, "dynamodb", f"always-{client}-dynamodb")
            assert seen["code"] == SERVICES["dynamodb"].retried
        # Netty's second attempt comes from the SDK's own threads.
        assert proxy.attempts == 0
        assert "unattributed_call" not in function.log()
        assert function.call("apache", "dynamodb", "none") == "ok"
        for _ in range(2):
            assert function.call("apache", "dynamodb", "always-apache-dynamodb", elsewhere=True) == "ok"
    assert function.log().count("unattributed_call") == 1
    proxy.close()


# Every SDK has another class before.
CLIENT_CLASS = """
package software.amazon.awssdk.core;
public class SdkClient { public static String call() {
    return software.amazon.awssdk.core.internal.http.pipeline.stages.MakeHttpRequestStage.call();
} }
"""
STAGE = """
package software.amazon.awssdk.core.internal.http.pipeline.stages;
public class MakeHttpRequestStage { public static String call() { return "went out"; } }
"""
HANDLER = r"""
import java.io.*;
import com.amazonaws.services.lambda.runtime.*;
import software.amazon.awssdk.core.SdkClient;
public class Other implements RequestStreamHandler {
    public void handleRequest(InputStream in, OutputStream out, Context context) throws IOException {
        out.write(("{\"outcome\": \"" + SdkClient.call() + "\"}").getBytes());
    }
}
"""


@pytest.mark.skipif(shutil.which("javac") is None, reason="missing: a JDK (javac)")
def test_an_sdk_that_cannot_be_hooked_is_left_alone_and_said_to_be(tmp_path: Path) -> None:
    code = tmp_path / "code"
    code.mkdir()
    for name, text in {"SdkClient": CLIENT_CLASS, "MakeHttpRequestStage": STAGE, "Other": HANDLER}.items():
        (tmp_path / f"{name}.java").write_text(text)
    path = os.pathsep.join(map(str, CLIENT.glob("*.jar")))
    sources = [str(file) for file in tmp_path.glob("*.java")]
    subprocess.run(["javac", "--release", "11", "-cp", path, "-d", str(code), *sources], check=True)
    variables = {"FAULTLAYER_PLAN": plan(fault("always", "dynamodb"))}
    with JavaFunction(home(), tmp_path, variables, code=code, handler="Other") as function:
        for _ in range(2):
            assert function.call("", "", "") == "went out"
    kept = [(one["reason"], one.get("fault")) for one in function.records()]
    assert kept == [("internal_error", None), ("no_call", "f"), ("not_supported", "f")]


def test_faults_in_calls_that_come_later_hit_them(moto: int, tmp_path: Path) -> None:
    proxy = Proxy(moto)
    none = json.loads(plan())
    with Extension() as extension:
        extension.plan(none)
        variables = {"URL": proxy.url, **extension.variables("appconfig:shop/prod/faults")}
        with JavaFunction(home(), tmp_path, variables) as function:

            def until(is_hit: bool) -> None:
                end = time.monotonic() + 30
                while (function.call("apache", "dynamodb", "any") != "ok") != is_hit:
                    assert time.monotonic() < end, function.log()

            assert function.call("apache", "dynamodb", "any") == "ok"
            for service in ("dynamodb", "s3", "dynamodb"):
                extension.plan({**none, "faults": [{**fault("final", service), "rate": 1}]})
                # What an invocation's calls are is told by its own plan.
                until(is_hit=service == "dynamodb")
            extension.plan(none)
            until(is_hit=False)
    proxy.close()
