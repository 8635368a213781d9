"""Java: clients of connections that the JDK's own do not stand for, Netty (under AWS's SDK) and PostgreSQL's JDBC
driver, in the layer: each meets its own error, and goes on as ever in the next invocation."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import databases
import pytest
from java import JavaFunction, homes, is_there, of_case, plan
from proxy import Proxy

pytestmark = pytest.mark.skipif(
    not is_there(), reason="the Java function, its runtime client or the layer is not there"
)

LATER_MS = 300
EFFECTS: dict[str, dict[str, Any]] = {
    "refuse": {},
    "reset": {},
    "blackhole": {},
    "latency": {"delay_ms": LATER_MS},
}


@pytest.fixture(scope="module")
def function(moto: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JavaFunction]:
    proxy = Proxy(moto)
    with databases.postgres() as port:
        ports = {"netty": int(proxy.url.rsplit(":", 1)[1]), "jdbc": port}
        faults = [
            of_case(
                {
                    "kind": "network",
                    "rate": 1,
                    "effect": effect,
                    "target": {"host": ["127.0.0.1"], "port": [ports[client]]},
                    **more,
                },
                f"{effect}-{client}",
            )
            for effect, more in EFFECTS.items()
            for client in ports
        ]
        variables = {
            "URL": proxy.url,
            "DATABASE": f"jdbc:postgresql://127.0.0.1:{port}/postgres",
            "FAULTLAYER_PLAN": plan(*faults),
        }
        home = next(iter(homes().values()))
        with JavaFunction(home, tmp_path_factory.mktemp("java"), variables) as environment:
            yield environment
        assert [one for one in environment.records() if "fault" not in one] == []
    proxy.close()


@pytest.mark.parametrize(
    ("effect", "client", "hasty", "met"),
    [
        # On a connection that is kept, then on the SDK's own attempts to open another.
        ("refuse", "netty", False, r"java\.net\.ConnectException.*Connection refused"),
        ("reset", "netty", False, "reset|closed"),
        ("blackhole", "netty", True, "ConnectTimeoutException|ReadTimeoutException"),
        # On a connection that is kept, then on new ones.
        ("refuse", "jdbc", False, r"PSQLException.*java\.net\.SocketException"),
        ("reset", "jdbc", False, r"PSQLException.*java\.net\.SocketException"),
        ("blackhole", "jdbc", False, r"PSQLException.*SocketTimeoutException"),
        ("refuse", "jdbc", True, r"PSQLException.*java\.net\.ConnectException"),
        ("reset", "jdbc", True, r"PSQLException.*java\.net\.SocketException"),
        ("blackhole", "jdbc", True, r"PSQLException.*SocketTimeoutException"),
    ],
)
def test_each_client_meets_its_own_error(
    function: JavaFunction, effect: str, client: str, hasty: bool, met: str
) -> None:
    assert function.call(client, "dynamodb", "none") == "ok"
    seen = function.call(client, "dynamodb", f"{effect}-{client}", hasty=hasty)
    assert re.search(met, str(seen)), seen
    assert function.call(client, "dynamodb", "none") == "ok"


@pytest.mark.parametrize("client", ["netty", "jdbc"])
def test_latency_only_makes_the_answer_later(function: JavaFunction, client: str) -> None:
    assert function.call(client, "dynamodb", "none") == "ok"
    started = time.monotonic()
    assert function.call(client, "dynamodb", f"latency-{client}") == "ok"
    assert time.monotonic() - started >= LATER_MS / 1000
