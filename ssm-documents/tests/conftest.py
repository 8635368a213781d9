"""Endpoints to test against. moto is always there; LocalStack and the lab are where their make targets put them."""

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "scripts"), str(HERE)]

import boto3  # noqa: E402
import clients  # noqa: E402
import endpoints  # noqa: E402
from faultlayer_documents import aws as aws_module  # noqa: E402
from labworld import LabWorld  # noqa: E402
from world import World  # noqa: E402

boto3.client = clients.client
KEYS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_REGION": "eu-central-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spreads the sweeps, by far the longest, over the whole list: workers begin with equal parts of it, and none is left
    with several of them at the end."""
    sweeps = [item for item in items if item.path.name == "test_sweep.py"]
    rest = [item for item in items if item.path.name != "test_sweep.py"]
    for at, item in enumerate(sweeps):
        rest.insert(at * len(items) // len(sweeps), item)
    items[:] = rest


def pytest_collection_finish() -> None:
    """What moto and botocore are made of stays, and looking at it for garbage again and again takes a twelfth of all time."""
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    with endpoints.moto() as url:
        yield url


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No account's rates to keep, and no long waits: the pace has its own test."""
    pause = aws_module.Aws.pause
    monkeypatch.setattr(aws_module.Aws, "pause", lambda self, seconds: pause(self, seconds / 10))
    monkeypatch.setattr(aws_module, "RATES", dict.fromkeys(aws_module.RATES, 10_000.0))


@pytest.fixture
def moto(moto_url: str, monkeypatch: pytest.MonkeyPatch, quick: None) -> World:
    for key, value in {**KEYS, "AWS_ENDPOINT_URL": moto_url}.items():
        monkeypatch.setenv(key, value)
    endpoints.reset_moto(moto_url)
    endpoints.fill_gaps(monkeypatch)
    monkeypatch.setenv("TEST_ROLE", endpoints.role())
    world = World()
    endpoints.play_automation(monkeypatch, world.executions)
    world.our_layers()
    return world


@pytest.fixture(scope="session")
def localstack_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    python = HERE.parents[1] / ".cache" / "ssm" / "localstack" / "bin" / "python"
    if not python.exists():
        pytest.fail("LocalStack is missing: `make setup-ssm` installs it")
    with endpoints.localstack(python, tmp_path_factory.mktemp("localstack")) as url:
        yield url


@pytest.fixture
def localstack(localstack_url: str, monkeypatch: pytest.MonkeyPatch, quick: None) -> World:
    for key, value in {**KEYS, "AWS_ENDPOINT_URL": localstack_url}.items():
        monkeypatch.setenv(key, value)
    world = World()
    endpoints.play_automation(monkeypatch, world.executions)
    world.our_layers()
    return world


def binary() -> Path:
    """The command under test: `FAULTLAYER`, or what a build left in the repository's `target`."""
    root = HERE.parents[1] / "target"
    found = [Path(path) for path in (os.environ.get("FAULTLAYER", ""), root / "release/faultlayer", root / "debug/faultlayer") if path]
    for path in found:
        if path.exists():
            return path.absolute()
    pytest.fail("the command is missing: `make cli` builds it, or set FAULTLAYER to it")


@pytest.fixture(scope="session")
def lab_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[endpoints.Lab]:
    lab = endpoints.Lab(binary(), tmp_path_factory.mktemp("lab"))
    yield lab
    lab.close()


@pytest.fixture
def lab(lab_process: endpoints.Lab, monkeypatch: pytest.MonkeyPatch, quick: None) -> LabWorld:
    for key, value in {**KEYS, "AWS_ENDPOINT_URL": lab_process.url, "AWS_DEFAULT_REGION": lab_process.about["region"]}.items():
        monkeypatch.setenv(key, value)
    monkeypatch.setenv("AWS_REGION", lab_process.about["region"])
    monkeypatch.setenv("TEST_ROLE", f"arn:aws:iam::{lab_process.about['account']}:role/r")
    lab_process.request("DELETE", "/hooks")
    lab_process.post("/reset")
    lab_process.post("/settings", {"update_ms": 20, "speed": 600, "rates": 0})
    world = LabWorld(lab_process)
    endpoints.play_automation(monkeypatch, world.executions)
    world.our_layers()
    return world
