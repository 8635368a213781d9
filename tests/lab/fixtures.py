"""Labs for tests: one for all tests of a process, and as many as a test starts itself."""

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
def labs() -> Iterator[list[Lab]]:
    """The labs that the test adds; they end with it."""
    started: list[Lab] = []
    yield started
    for lab in started:
        if lab.process.poll() is None:
            lab.stop()
