"""A lab for all tests of a process, empty and without rates at the start of each."""

from __future__ import annotations

import pytest

from client import Lab
from fixtures import labs as labs
from fixtures import shared_lab as shared_lab


@pytest.fixture
def lab(shared_lab: Lab) -> Lab:
    return shared_lab.emptied(update_ms=20, speed=100)
