from __future__ import annotations

from pathlib import Path

import pytest

from function import Function


@pytest.fixture
def function(tmp_path: Path) -> Function:
    """One function, seen as in Lambda."""
    return Function(tmp_path)


@pytest.fixture(params=["isolated", "translated"])
def any_function(request: pytest.FixtureRequest, tmp_path: Path) -> Function:
    """One function, both as in Lambda and where the kernel does not allow that."""
    return Function(tmp_path, [] if request.param == "isolated" else ["--not-isolated"])
