"""The lab and its clients are those of the lab's own tests."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lab"))

from client import Lab


@pytest.fixture(scope="session")
def shared_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab(tmp_path_factory.mktemp("lab"))
    yield lab
    lab.stop()


@pytest.fixture
def lab(shared_lab: Lab) -> Lab:
    shared_lab.ask("POST", "/reset")
    shared_lab.settings(update_ms=50, speed=600, rates=0, cancel_limit_s=120, poll_ms=20)
    return shared_lab
