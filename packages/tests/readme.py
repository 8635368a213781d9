"""What the READMEs show."""

from __future__ import annotations

import re
from pathlib import Path


def first_block(readme: Path, language: str, heading: str = "## Quick start") -> str:
    """The first lines to type under a heading of a README."""
    found = re.search(rf"^{heading}$.*?```{language}\n(.*?)```", readme.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert found, f"{readme}: no block of {language} under `{heading}`"
    return found.group(1)
