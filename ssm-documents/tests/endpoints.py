"""Starts what the scripts are tested against, and fills the gaps those tools have."""

import contextlib
import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import boto3
import pytest


@contextlib.contextmanager
def moto() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def reset_moto(url: str) -> None:
    urllib.request.urlopen(urllib.request.Request(f"{url}/moto-api/reset", method="POST")).close()


def role() -> str:
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    iam = boto3.client("iam")
    return str(iam.create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(policy))["Role"]["Arn"])


# Calls moto does not know, with the answer of an account that has none of it.
GAPS = {"ListProvisionedConcurrencyConfigs": {"ProvisionedConcurrencyConfigs": []}}


def fill_gaps(monkeypatch: pytest.MonkeyPatch, gaps: dict[str, Any] = GAPS) -> None:
    """Answers the calls in `gaps` before they are sent, for every client made from now on."""
    make = boto3.client

    class Response:
        status_code = 200
        headers: dict[str, str] = {}

    def client(*arguments: Any, **more: Any) -> Any:
        made = make(*arguments, **more)

        def answer(model: Any, **_: Any) -> Any:
            return (Response(), dict(gaps[model.name])) if model.name in gaps else None

        made.meta.events.register("before-call", answer)
        return made

    monkeypatch.setattr(boto3, "client", client)
