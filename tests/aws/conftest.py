"""One moto for all tests of a worker, and a proxy of each test's own in front of it."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import botocore.endpoint
import pytest
from moto import mock_aws
from moto.server import ThreadedMotoServer
from proxy import Proxy
from services import prepare

CREDENTIALS = {"aws_access_key_id": "AKIA", "aws_secret_access_key": "secret", "region_name": "eu-west-1"}


@functools.cache
def session() -> Any:
    """One for all: each reads the services' models anew, which is most of what making a client takes."""
    import boto3

    return boto3.session.Session(**CREDENTIALS)


def client(name: str, url: str | None, **config: Any) -> Any:
    from botocore.config import Config

    return session().client(name, endpoint_url=url, config=Config(**config))


@pytest.fixture(scope="session")
def moto() -> Iterator[int]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    fill(port)
    yield port
    server.stop()


def fill(port: int) -> None:
    for name in ("dynamodb", "s3"):
        prepare(client(name, f"http://127.0.0.1:{port}"))


@pytest.fixture
def in_process_mock(moto: int) -> Iterator[None]:
    """Empties moto's server too, which is in this process."""
    with mock_aws():
        yield
    fill(moto)


@pytest.fixture
def proxy(moto: int) -> Iterator[Proxy]:
    proxy = Proxy(moto)
    yield proxy
    proxy.close()


@pytest.fixture
def no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries follow at once."""
    monkeypatch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=lambda _: None))
