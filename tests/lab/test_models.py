from __future__ import annotations

import pytest

from models import path, served, text


@pytest.mark.parametrize("service", served())
def test_committed_tables_are_what_the_installed_botocore_says(service: str) -> None:
    assert path(service).read_text(encoding="utf-8") == text(service, served()[service]), "write it again: make models"
