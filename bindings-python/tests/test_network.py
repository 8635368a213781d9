"""Faults in connections, in the layer and in the library: the client's own errors, only in invocations that are hit,
and only to hosts that are named. What each client makes of them `network/tests` says."""

from __future__ import annotations

import http.server
import json
import socket
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from conftest import Lambda
from faultlayer import Fault, Plan, PlanError, Record, faults, wrap

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="connections are reached on Linux")


@pytest.fixture
def port() -> Iterator[int]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def get(port: int, host: str = "localhost") -> str:
    with urllib.request.urlopen(f"http://{host}:{port}/", timeout=1) as answer:
        return str(answer.read().decode())


def named(port: int) -> dict[str, Any]:
    return {"host": ["localhost"], "port": [port]}


def tried(function: Any, *arguments: Any) -> str:
    try:
        return str(function(*arguments))
    except OSError as error:
        return f"{error}"


APP = """
import json, os, socket, time, urllib.request
kept = None
def handler(event, context):
    global kept
    def get():
        with urllib.request.urlopen(f"http://localhost:{event['port']}/", timeout=1) as answer:
            return answer.read().decode()
    if event.get("kept"):
        kept = kept or socket.create_connection(("localhost", event["port"]))
        kept.sendall(b"GET / HTTP/1.1\\r\\nhost: x\\r\\n\\r\\n")
        answer = b""
        while not answer.endswith(b"ok"):
            answer += kept.recv(1000) or b"nothing more, not ok"
        return answer.decode().split("\\r\\n\\r\\n")[1], list(kept.getpeername())
    started = time.monotonic()
    try:
        return get(), time.monotonic() - started, len(os.listdir("/proc/self/task"))
    except OSError as error:
        return str(error), time.monotonic() - started, len(os.listdir("/proc/self/task"))
"""


def plan(*faults: dict[str, Any], **fields: Any) -> dict[str, str]:
    listed = [{"id": f"fault-{index}", "kind": "network", "rate": 1, **fault} for index, fault in enumerate(faults)]
    return {"FAULTLAYER_PLAN": json.dumps({"version": 1, "expires_at": "never", **fields, "faults": listed})}


def test_in_the_layer_each_effect_is_the_clients_own_error(function: Lambda, port: int) -> None:
    function.write("app.py", APP)
    for fault, words in (
        ({"effect": "refuse"}, "Connection refused"),
        ({"effect": "reset"}, "Connection reset by peer"),
        ({"effect": "blackhole"}, "timed out"),
    ):
        with function.start(variables=plan({"target": named(port), **fault})) as environment:
            assert words in environment.invoke({"port": port}).json[0]
            environment.close()
            [record] = environment.records()
            assert record["action"] == "injected"
            assert (record["host"], record["port"], record["effect"]) == ("localhost", port, fault["effect"])
    with function.start(variables=plan({"target": named(port), "effect": "latency", "delay_ms": 300})) as environment:
        answer, taken, _ = environment.invoke({"port": port}).json
        assert (answer, taken >= 0.3) == ("ok", True)
    with function.start(variables=plan({"target": {"host": ["localhost"]}, "effect": "dns"})) as environment:
        assert "not known" in environment.invoke({"port": port}).json[0]


def test_in_the_layer_only_what_is_drawn_is_hit_also_on_a_kept_connection(one_function: Lambda, port: int) -> None:
    one_function.write("app.py", APP)
    variables = plan({"target": named(port), "effect": "reset", "match": {"event": {"hit": [True]}}})
    with one_function.start(variables=variables) as environment:
        for _ in range(3):
            assert environment.invoke({"port": port, "kept": True}).json == ["ok", ["127.0.0.1", port]]
        assert environment.records() == []
        answer = environment.invoke({"port": port, "kept": True, "hit": True})
        assert answer.json["errorType"] == "ConnectionResetError"
        assert environment.invoke({"port": port}).json[0] == "ok"
        environment.close()
        assert [record["action"] for record in environment.records()] == ["injected"]


def test_in_the_layer_nobody_called_is_said_and_nothing_changes(one_function: Lambda, port: int) -> None:
    one_function.write("app.py", APP)
    with one_function.start(layered=False) as bare:
        healthy = bare.invoke({"port": port}).json
    with one_function.start(
        variables=plan({"target": {"host": ["nobody.example"]}, "effect": "refuse"})
    ) as environment:
        answer, _, threads = environment.invoke({"port": port}).json
        assert (answer, threads <= healthy[2] + 1) == ("ok", True)
        environment.close()
        assert [record["reason"] for record in environment.records()] == ["no_call"]


def test_in_the_layer_a_pattern_covers_neither_loopback_nor_the_runtime_api(one_function: Lambda, port: int) -> None:
    one_function.write("app.py", APP)
    faults = [
        {"target": target, "effect": "refuse"}
        for target in ({"host": [{"wildcard": "*"}]}, {"port": [{"exists": True}]})
    ]
    with one_function.start(variables=plan(*faults)) as environment:
        for _ in range(2):
            assert environment.invoke({"port": port}).json[0] == "ok"
    # By its name all of loopback is meant, but never the Runtime API, which the client goes on to talk to.
    with one_function.start(
        variables=plan({"target": {"host": ["127.0.0.1", "localhost"]}, "effect": "refuse"})
    ) as environment:
        for _ in range(2):
            assert "refused" in environment.invoke({"port": port}).json[0]


def test_in_the_library_a_call_is_hit_and_its_records_come(port: int) -> None:
    records: list[Record] = []
    refused = wrap(get, Fault.network(named(port), "refuse"), records=records.append)
    assert "refused" in tried(refused, port)
    assert tried(get, port) == "ok"
    assert [(record["kind"], record["action"]) for record in records] == [("network", "injected")]
    slow = wrap(get, Fault.network(named(port), "latency", delay_ms=200))
    started = time.monotonic()
    assert slow(port) == "ok"
    assert time.monotonic() - started >= 0.2
    assert "not known" in tried(wrap(get, Fault.network({"host": ["localhost"]}, "dns")), port)


def test_in_the_library_calls_beside_each_other_meet_their_own_fate(port: int) -> None:
    both = threading.Barrier(2)

    def one(event: dict[str, bool], _context: object = None) -> str:
        both.wait()
        answer = tried(get, port)
        both.wait()
        return answer

    wrapped = wrap(one, Plan(Fault.network(named(port), "refuse", match={"event": {"hit": [True]}})))
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(wrapped, [{"hit": True}, {"hit": False}]))
    assert "refused" in answers[0]
    assert answers[1] == "ok"


def test_in_the_library_code_in_a_scope_is_hit_until_the_scope_ends(port: int) -> None:
    with faults(Fault.network(named(port), "refuse")) as scope:
        assert "refused" in tried(get, port)
    assert tried(get, port) == "ok"
    assert [record["action"] for record in scope.records] == ["injected"]


def test_what_the_environment_lives_from_cannot_be_named() -> None:
    for target in ({"host": ["169.254.170.2"]}, {"port": [2772]}):
        with pytest.raises(PlanError):
            wrap(get, Fault.network(target, "refuse"))(1)


def test_a_socket_of_a_named_host_can_be_looked_at(port: int) -> None:
    def peer() -> tuple[str, int]:
        with socket.create_connection(("localhost", port)) as one:
            return one.getpeername()  # type: ignore[no-any-return]

    assert wrap(peer, Fault.network(named(port), "latency", delay_ms=1))() == ("127.0.0.1", port)
