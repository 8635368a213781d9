"""The plan's JSON Schema, generated from the engine's own types. The build puts its text in this place."""

import json
from pathlib import Path

FILE = Path(__file__).parents[3] / "core" / "plan.schema.json"
PLAN_SCHEMA = json.loads(FILE.read_text())
