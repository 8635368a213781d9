"""What attaching changes or refuses, against the vectors that the engine's own rule meets."""

import inspect
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from faultlayer_documents.change import Options, attach_change
from faultlayer_documents.plan import later_plan, timed_plan
from faultlayer_documents.refuse import claim_reasons, room_reasons, runtime_reasons

CASES = json.loads((Path(__file__).parents[2] / "tests" / "vectors" / "attach.json").read_text())


def outcome(case: dict[str, Any]) -> dict[str, Any]:
    """As the step does it: what is against it, or the change."""
    config, alias = case["config"], case["options"].pop("alias", None)
    options = Options(**case["options"])
    unfit = runtime_reasons(config)
    # An execution of its own is nothing that the engine's rule knows.
    found = unfit + claim_reasons(*[config, ""][: len(inspect.signature(claim_reasons).parameters)])
    found += [] if unfit else room_reasons(config, options, alias)
    return {"refused": found} if found else {"change": attach_change(config, options, alias)[0]}


@pytest.mark.parametrize("case", [case for case in CASES if "config" in case], ids=lambda case: case["name"])
def test_a_configuration_is_changed_or_refused_as_the_engine_does(case: dict[str, Any]) -> None:
    assert outcome(case) == case["expect"]


@pytest.mark.parametrize("case", [case for case in CASES if "plan" in case], ids=lambda case: case["name"])
def test_a_plan_goes_into_a_function_as_the_engine_makes_it(case: dict[str, Any]) -> None:
    text = case["plan"] if isinstance(case["plan"], str) else json.dumps(case["plan"])
    make, given = (later_plan, case["later"]) if "later" in case else (timed_plan, case["hold"])
    given = {**given, "now": datetime.fromisoformat(given["now"].replace("Z", "+00:00"))}
    try:
        assert {"text": make(text, **given)} == case["expect"]
    except ValueError as error:
        assert {"path": str(error).split(":", maxsplit=1)[0]} == case["expect"]
