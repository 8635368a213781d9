"""A thousand functions, which take some ten minutes."""

from __future__ import annotations

from figures import Figures

from rows.fleet import measured


def measure(quick: bool) -> Figures:
    return measured(50 if quick else 1000)
