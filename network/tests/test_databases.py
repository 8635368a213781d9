"""Database clients and real servers of this machine; skipped by name where a server is not installed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import databases
import pytest
from databases import free_port, installed, served
from harness import Network


@pytest.fixture(scope="module")
def postgres() -> Iterator[int]:
    with databases.postgres() as port:
        yield port


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    program, port = installed(os.environ.get("REDIS_SERVER", "redis-server")), free_port()
    folder = tmp_path_factory.mktemp("redis")
    with served([program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)], port):
        yield port


def run_psycopg(port: int) -> tuple[Callable[[], Any], Callable[[], None]]:
    psycopg = pytest.importorskip("psycopg")
    kept: list[Any] = []

    def ask() -> Any:
        if not kept or kept[0].closed:
            kept[:] = [
                psycopg.connect(
                    f"host=localhost port={port} user=tests dbname=postgres connect_timeout=2", autocommit=True
                )
            ]
        return kept[0].execute("select 1").fetchone()

    return ask, lambda: kept and kept.pop().close()


def run_redis(port: int) -> tuple[Callable[[], Any], Callable[[], None]]:
    redis = pytest.importorskip("redis")
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    client = redis.Redis("localhost", port, socket_timeout=1, socket_connect_timeout=1, retry=Retry(NoBackoff(), 0))
    return client.ping, client.close


@pytest.mark.parametrize(("server", "run"), [("postgres", run_psycopg), ("redis_server", run_redis)])
def test_each_effect_is_the_clients_own_error(
    network: Network, request: pytest.FixtureRequest, server: str, run: Any
) -> None:
    port: int = request.getfixturevalue(server)
    with network.watch(f"localhost:{port}"):
        ask, close = run(port)
        assert ask()
        started = time.monotonic()
        with network.hit("latency", 200_000):
            assert ask()
        assert time.monotonic() - started >= 0.2
        for effect, word in (("reset", "reset|closed|terminat|connect"), ("refuse", "refused|reset|closed|terminat")):
            with network.hit(effect), pytest.raises(Exception, match=f"(?i){word}"):
                ask()
            close()
            assert ask()
        for effect, word in (("refuse", "refused"), ("blackhole", "time"), ("not_found", "not known|translate host")):
            # On a new connection: a query on one that is cut off would wait without end.
            close()
            with network.hit(effect), pytest.raises(Exception, match=f"(?i){word}"):
                ask()
        close()
        assert ask()
        close()
