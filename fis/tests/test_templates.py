"""The shipped experiment templates: what FIS, Automation and the documents would refuse, found before AWS does."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from models import problems

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "fis" / "scripts"))
from build_stack import PLACEHOLDERS, STACK_PLANS  # noqa: E402

TEMPLATES = sorted((ROOT / "fis" / "templates").glob("*.json"))
# As long as a stack's name may be here.
STACK = "s" * 40
# How a user fills them in.
VALUES = {
    "<PARTITION>": "aws",
    "<REGION>": "us-east-1",
    "<ACCOUNT>": "123456789012",
    "<STACK>": STACK,
    "<FIS_ROLE_ARN>": "arn:aws:iam::123456789012:role/fis",
    "<STOP_ALARM_ARN>": f"arn:aws:cloudwatch:us-east-1:123456789012:alarm:{STACK}-stop",
    "<ASSERTED_ALARM_ARN>": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:checkout",
    "<LOG_GROUP_ARN>": f"arn:aws:logs:us-east-1:123456789012:log-group:/faultlayer/{STACK}/experiments",
    "<TAG_KEY>": "Faultlayer-Target",
    "<TAG_VALUE>": STACK,
    "<PYTHON_FUNCTION>": "f" * 64,
    "<NODE_FUNCTION>": "f" * 64,
    "<JAVA_FUNCTION>": "f" * 64,
}
# https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html: the parameters of the actions used, the required ones first.
ACTIONS = {
    "aws:ssm:start-automation-execution": (["documentArn", "documentParameters", "maxDuration"], ["documentVersion"]),
    "aws:cloudwatch:assert-alarm-state": (["alarmArns", "alarmStates"], []),
}
# A document's scripts, each of which Automation ends after ten minutes.
LONGEST_STEP = timedelta(minutes=10)
MOST = timedelta(hours=12)


def filled(path: Path) -> dict[str, Any]:
    text = path.read_text()
    for placeholder, value in VALUES.items():
        text = text.replace(placeholder, value)
    assert not re.findall(r"<\w+>", text)
    template: dict[str, Any] = json.loads(text)
    return template


def duration(text: str) -> timedelta:
    found = re.fullmatch(r"PT(?:(\d+)H)?(?:(\d+)M)?", text)
    assert found, f"`{text}` is no duration as FIS takes it"
    return timedelta(hours=int(found.group(1) or 0), minutes=int(found.group(2) or 0))


def automations(template: dict[str, Any]) -> list[dict[str, Any]]:
    return [action for action in template["actions"].values() if action["actionId"] == "aws:ssm:start-automation-execution"]


def document_of(action: dict[str, Any]) -> dict[str, Any]:
    name = action["parameters"]["documentArn"].rsplit("-", 1)[1]
    document: dict[str, Any] = json.loads((ROOT / "ssm-documents" / f"Faultlayer-{name}.json").read_text())
    return document


template = pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)


def test_every_placeholder_has_a_value_here_and_in_the_stack() -> None:
    used = {found for path in TEMPLATES for found in re.findall(r"<\w+>", path.read_text())}
    assert used == set(VALUES) == {placeholder.removesuffix(":*") for placeholder in PLACEHOLDERS}


@template
def test_the_api_would_take_it(path: Path) -> None:
    assert problems("fis", "CreateExperimentTemplate", {"clientToken": "token", **filled(path)}) == []


@template
def test_actions_are_fis_s_own_and_start_after_ones_that_are_there(path: Path) -> None:
    actions = filled(path)["actions"]
    for name, action in actions.items():
        required, optional = ACTIONS[action["actionId"]]
        assert set(required) <= set(action["parameters"]) <= {*required, *optional}
        assert "targets" not in action
        assert set(action.get("startAfter", [])) <= set(actions) - {name}


@template
def test_an_alarm_stops_it_and_its_log_is_kept(path: Path) -> None:
    content = filled(path)
    assert [condition["source"] for condition in content["stopConditions"]] == ["aws:cloudwatch:alarm"]
    assert content["logConfiguration"]["logSchemaVersion"] == 2
    assert content["logConfiguration"]["cloudWatchLogsConfiguration"]["logGroupArn"].endswith(":*")
    assert content["tags"]["Name"] == f"{STACK}-{path.stem}"


@template
def test_fis_waits_longer_than_the_document_can_take(path: Path) -> None:
    for action in automations(filled(path)):
        parameters = json.loads(action["parameters"]["documentParameters"])
        # Attach alone returns when it has attached; its duration is the plan's.
        holds = "Hold" in [step["name"] for step in document_of(action)["mainSteps"]]
        hold = timedelta(minutes=int(parameters["DurationMinutes"])) if holds else timedelta()
        assert 3 * LONGEST_STEP + hold < duration(action["parameters"]["maxDuration"]) <= MOST


@template
def test_the_document_takes_its_parameters(path: Path) -> None:
    for action in automations(filled(path)):
        text = action["parameters"]["documentParameters"]
        assert len(text) <= 1024
        assert not re.search(r"\s", text)
        declared = document_of(action)["parameters"]
        given = json.loads(text)
        required = {name for name, parameter in declared.items() if "default" not in parameter}
        assert required <= set(given) <= set(declared)
        for name, value in given.items():
            parameter = declared[name]
            if parameter["type"] == "StringList":
                assert isinstance(value, list)
                assert all(isinstance(one, str) for one in value)
                assert len(value) <= parameter["maxItems"]
            else:
                assert isinstance(value, str), f"{name}: FIS passes texts and lists of texts alone"
                assert re.search(parameter.get("allowedPattern", ""), value)
                assert len(value) <= 512
            if parameter["type"] == "Integer":
                assert int(value) >= 0


@template
def test_its_plan_is_one_that_the_stack_has(path: Path) -> None:
    for action in automations(filled(path)):
        plan = json.loads(action["parameters"]["documentParameters"])["Plan"]
        assert plan.rsplit("/", 1)[0] == f"parameter:/faultlayer/{STACK}/plan"
        assert plan.rsplit("/", 1)[1] in STACK_PLANS


@pytest.mark.parametrize("name", STACK_PLANS)
def test_the_stack_s_plans_are_right_once_attaching_has_set_their_times(name: str, tmp_path: Path) -> None:
    plan = json.loads((ROOT / "examples" / "plans" / f"{name}.json").read_text())
    assert not {"starts_at", "expires_at"} & set(plan)
    timed = {**plan, "starts_at": "2026-11-23T12:00:00Z", "expires_at": "2026-11-23T12:30:00Z"}
    (tmp_path / "plan.json").write_text(json.dumps(timed))
    command = [os.environ["FAULTLAYER"], "plan", "check", str(tmp_path / "plan.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
