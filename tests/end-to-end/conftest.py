"""The lab and its clients are those of the lab's own tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lab"))

from client import Lab
from fixtures import labs as labs
from fixtures import shared_lab as shared_lab


@pytest.fixture
def lab(shared_lab: Lab) -> Lab:
    return shared_lab.emptied(update_ms=50, speed=600)
