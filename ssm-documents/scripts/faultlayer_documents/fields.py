"""The plan's tables of fields, generated from the engine's own. The build puts their text in this place."""

import json
from pathlib import Path

FILE = Path(__file__).parents[3] / "core" / "plan.fields.json"
PLAN_FIELDS: dict[str, str] = json.loads(FILE.read_text())
