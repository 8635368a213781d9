"""A lab for all tests of a process, empty and without rates at the start of each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from client import Lab


@pytest.fixture(scope="session")
def shared_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab(tmp_path_factory.mktemp("lab"))
    yield lab
    lab.stop()


@pytest.fixture
def lab(shared_lab: Lab) -> Lab:
    shared_lab.ask("POST", "/reset")
    shared_lab.settings(update_ms=20, speed=100, rates=0, cancel_limit_s=120, poll_ms=20)
    return shared_lab
