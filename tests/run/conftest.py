from __future__ import annotations

from pathlib import Path

import pytest

from lab import Lab


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    """One function, seen as in Lambda."""
    return Lab(tmp_path)


@pytest.fixture(params=["isolated", "translated"])
def any_lab(request: pytest.FixtureRequest, tmp_path: Path) -> Lab:
    """One function, both as in Lambda and where the kernel does not allow that."""
    return Lab(tmp_path, [] if request.param == "isolated" else ["--not-isolated"])
