"""The plan: its fields, its times, its one line; the check against a JSON Schema library nobody here wrote."""

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from faultlayer_documents.fields import PLAN_FIELDS
from faultlayer_documents.plan import minify_plan, timed_plan
from faultlayer_documents.validate import plan_problems
from faultlayer_documents.written import read_plan
from hypothesis import given, settings
from hypothesis import strategies as st
from plans import FAULTS

SCHEMA = Path(__file__).parents[2] / "core" / "plan.schema.json"
NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=timezone.utc)


def plan(*faults: Any, **more: Any) -> str:
    return json.dumps({"version": 1, "experiment": "e", "faults": list(faults), **more})


SLOW = FAULTS[0]


def test_every_kind_of_fault_is_accepted() -> None:
    kinds = {kind.split()[0] for kind in PLAN_FIELDS["kinds"].split(", ")}
    assert {fault["kind"] for fault in FAULTS} == kinds
    assert plan_problems(plan(*FAULTS, seed=7, limits={"injections": 3}, dry_run=False, expires_at="never")) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (plan({**SLOW, "rate": 25}), "faults[0].rate: expected number 0 to 1 | object rate (25 percent is 0.25), got `25`"),
        (plan({**SLOW, "rate": "x"}), 'faults[0].rate: expected number 0 to 1 | object rate, got `"x"`'),
        (plan({**SLOW, "rate": True}), "faults[0].rate: expected number 0 to 1 | object rate, got `true`"),
        (
            plan({key: value for key, value in SLOW.items() if key != "rate"}),
            "faults[0].rate: expected number 0 to 1 | object rate, nothing",
        ),
        (plan({**SLOW, "extra": 1}), "faults[0].extra: expected no field but id, kind, rate"),
        (plan({**SLOW, "kind": "slow"}), "faults[0].kind: expected one of latency, error, response"),
        (plan({"id": "a"}), "faults[0].kind: expected one of"),
        (plan(3), "faults[0]: expected an object with id, kind and rate, got `3`"),
        (plan(SLOW, SLOW), 'faults[1].id: expected an id of its own, got `"slow"`'),
        (
            plan({**SLOW, "delay_ms": {"uniform": {"min": 1}}}),
            "faults[0].delay_ms.uniform.max: expected number 0 to 900000 >= min, nothing",
        ),
        (
            plan({**SLOW, "delay_ms": {"uniform": {"min": 9, "max": 3}}}),
            "faults[0].delay_ms.uniform.max: expected at least `min`, which is 9",
        ),
        (plan({**SLOW, "delay_ms": {"percentiles": {"50": 1}}}), "faults[0].delay_ms.percentiles: expected percentiles to 900000"),
        (plan({**SLOW, "when": "during"}), "faults[0].when: expected either `after_bytes` or `after_ms`"),
        (plan({**SLOW, "match": {"event": {"a": [{"prefix": 1}]}}}), "faults[0].match.event.a[0].prefix: expected what an EventBridge"),
        (
            plan({"id": "r", "kind": "response", "rate": 1, "payload": 1, "status": 500}),
            "faults[0].status: expected it only without `payload`",
        ),
        (plan(SLOW, version=2), "version: expected integer 1 to 1, got `2`"),
        (plan(SLOW, seed=2**53), "seed: expected integer 0 to 9007199254740991, got"),
        (plan(SLOW, starts_at="tomorrow"), 'starts_at: expected time, got `"tomorrow"`'),
        (plan(SLOW, experiment=""), "experiment: expected text of 1 to 256, got"),
        ("{}", "version: expected integer 1 to 1, nothing stands there"),
    ],
)
def test_a_wrong_plan_is_refused_with_the_field_and_what_is_allowed(text: str, problem: str) -> None:
    found = plan_problems(text)
    assert any(line.startswith(problem) for line in found), found


@pytest.mark.parametrize("text", ["", "[]", "nonsense", '{"a":NaN}', '{"a":1e999}', '{"a":"\\ud800"}', '"x"', "[" * 200])
def test_what_is_no_plan_at_all_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Plan: "):
        read_plan(text)


def test_all_problems_come_at_once() -> None:
    assert len(plan_problems(plan({**SLOW, "rate": 2, "x": 1}, {**SLOW, "id": ""}, seed=-1))) == 4


texts = st.sampled_from(["", "slow", "2026-11-23T12:00:00Z", "never", "latency", "KeyError", "100", "50"])
scalars = st.one_of(st.none(), st.booleans(), st.integers(-2, 3), st.floats(-1, 2), texts)
names = st.sampled_from(
    "id kind rate delay_ms uniform min max normal mean std_dev percentiles 100 50 type message status body payload headers "
    "size_mib code when match event steps at_s limit sample_by extra version experiment faults seed expires_at".split()
)
anything = st.recursive(
    scalars, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(names, inner, max_size=4)), max_leaves=8
)
faults_ = st.one_of(
    st.sampled_from(FAULTS).flatmap(lambda good: st.dictionaries(names, anything, max_size=2).map(lambda more: {**good, **more})), anything
)
plans = st.dictionaries(names, anything, max_size=2).flatmap(
    lambda more: st.lists(faults_, max_size=3).map(lambda faults: {"version": 1, "experiment": "e", "faults": faults, **more})
)
REFEREE = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))


@settings(max_examples=600, deadline=None)
@given(plans)
def test_what_the_plan_s_json_schema_refuses_is_refused(value: Any) -> None:
    if not REFEREE.is_valid(value):
        assert plan_problems(json.dumps(value))


def test_rules_between_fields_of_calls_and_connections_stand_in_the_schema() -> None:
    refusals = json.loads((SCHEMA.parents[1] / "tests" / "vectors" / "refusals.json").read_text())
    between = [
        one
        for one in refusals
        if one["name"].startswith(("aws_call:", "network:"))
        and any(
            problem["expected"].startswith("it only with ") or problem["expected"].endswith("nothing stands there")
            for problem in one["expect"]["problems"]
        )
    ]
    assert len(between) >= 6
    assert [one["name"] for one in between if REFEREE.is_valid(one["plan"])] == []


def timed(text: str, **more: Any) -> dict[str, Any]:
    arguments = {"now": NOW, "attach_s": 40.0, "minutes": 10, "dry_run": False, **more}
    return dict(json.loads(timed_plan(text, **arguments)))


def test_a_start_and_an_end_are_set_where_they_are_absent() -> None:
    made = timed(plan(SLOW))
    assert (made["starts_at"], made["expires_at"]) == ("2026-11-23T12:00:00Z", "2026-11-23T12:11:00Z")
    own = timed(plan(SLOW, starts_at="2026-11-23T11:00:00.5+02:00", expires_at="2026-11-23T14:00:00Z"))
    assert (own["starts_at"], own["expires_at"]) == ("2026-11-23T11:00:00.5+02:00", "2026-11-23T14:00:00Z")
    assert timed(plan(SLOW, expires_at="never"))["expires_at"] == "never"


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"expires_at": "2026-11-23T12:10:00Z"}, "expires_at: .* before the end of the hold"),
        ({"expires_at": "2026-11-23T11:00:00Z"}, "expires_at: .* before the end of the hold"),
        ({"starts_at": "2026-11-23T13:00:00Z"}, "starts_at: .* after the end of the hold"),
    ],
)
def test_times_that_make_no_experiment_are_refused(more: dict[str, str], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        timed(plan(SLOW, **more))


def test_a_dry_run_is_said_in_the_plan() -> None:
    assert timed(plan(SLOW, dry_run=False), dry_run=True)["dry_run"] is True
    assert timed(plan(SLOW, dry_run=True))["dry_run"] is True


def test_minifying_keeps_numbers_and_texts_as_they_were_written() -> None:
    text = '{ "a" : 1.10,\n "b" : "x  \\" y : {}", "c": [ 1e2 , 12345678901234567890 ], "é\\u0020" : { } }'
    assert minify_plan(text) == '{"a":1.10,"b":"x  \\" y : {}","c":[1e2,12345678901234567890],"é\\u0020":{}}'
    made = timed_plan('{ "version": 1, "payload": 1.10 }', NOW, 0, 1, False)
    assert made == '{"version":1,"payload":1.10,"starts_at":"2026-11-23T12:00:00Z","expires_at":"2026-11-23T12:02:00Z"}'
