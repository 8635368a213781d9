"""The plan's check against the engine: the shared vectors, and plans that a generator writes, judged by both."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conftest import binary
from faultlayer_documents.validate import plan_problems
from hypothesis import given, settings
from plans import PLANS

VECTORS = Path(__file__).parents[2] / "tests" / "vectors"
REFUSALS = json.loads((VECTORS / "refusals.json").read_text())
DECISIONS = json.loads((VECTORS / "decisions.json").read_text())
# What attaching sets where it is absent, so that its absence is no problem there.
SET_BY_ATTACHING = {"no_expiry": "expires_at", "missing_field": "starts_at"}


def text_of(plan: Any) -> str:
    return plan if isinstance(plan, str) else json.dumps(plan)


def paths_of(text: str) -> set[str]:
    """The paths that the documents' check names; the empty one for a text that is no plan at all."""
    try:
        lines = plan_problems(text)
    except ValueError:
        return {""}
    return {"" if line.startswith("plan: ") else line.split(": expected")[0] for line in lines}


def remaining(problems: list[dict[str, Any]]) -> set[str]:
    return {one["path"] for one in problems if SET_BY_ATTACHING.get(one["code"]) != one["path"]}


@pytest.mark.parametrize("case", REFUSALS, ids=[case["name"] for case in REFUSALS])
def test_a_plan_that_the_engine_refuses_is_refused_with_the_same_paths(case: dict[str, Any]) -> None:
    assert paths_of(text_of(case["plan"])) == remaining(case["expect"]["problems"])


def test_a_plan_that_the_engine_carries_out_is_accepted() -> None:
    refused = {case["name"]: plan_problems(text_of(case["plan"])) for case in DECISIONS}
    assert len(refused) > 50 and not any(refused.values()), {name: lines for name, lines in refused.items() if lines}


def engine(text: str) -> set[str]:
    done = subprocess.run([str(binary()), "plan", "check", "--json", "-"], input=text, capture_output=True, text=True, check=False)
    return remaining(json.loads(done.stdout)["problems"])


@settings(max_examples=400, deadline=None)
@given(PLANS)
def test_engine_and_documents_agree_about_whatever_is_written(plan: str | dict[str, Any]) -> None:
    """Where a part of a fault cannot be read at all, the engine looks no further into that fault; the documents do."""
    mine, theirs = paths_of(text_of(plan)), engine(text_of(plan))
    assert bool(mine) == bool(theirs) and theirs <= mine, (mine, theirs)
