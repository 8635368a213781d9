"""The lab and its clients are those of the lab's own tests."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lab"))

from fixtures import labs as labs
from fixtures import shared_lab as shared_lab
