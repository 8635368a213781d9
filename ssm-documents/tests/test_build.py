"""The shipped documents: what the scripts say, within Automation's limits, with no step that leads nowhere."""

import ast
import hashlib
import json
import re
import sys
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import build
import pytest
from documents import DOCUMENTS
from faultlayer_documents.plan import timed_plan
from faultlayer_documents.validate import plan_problems
from letters import lettered

HERE = Path(__file__).parent.parent
NAMES = list(DOCUMENTS)


def shipped(name: str) -> dict[str, Any]:
    return dict(json.loads((HERE / f"{name}.json").read_text()))


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="built by CPython 3.11, others print code differently")
@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_json_is_what_the_scripts_say(name: str) -> None:
    assert (HERE / f"{name}.json").read_text() == build.build(name), "run `make ssm-documents`"
    assert (HERE / f"{name}.json").stat().st_size <= build.LIMIT


@pytest.mark.parametrize("name", NAMES)
def test_every_failure_and_cancellation_leads_to_the_roll_back(name: str) -> None:
    document = shipped(name)
    steps = {step["name"]: step for step in document["mainSteps"]}
    for step in steps.values():
        for key in ("onFailure", "onCancel", "nextStep"):
            target = step.get(key, "Abort").removeprefix("step:")
            assert target in ("Abort", *steps), f"{step['name']}.{key}: {target}"
    if name in ("Faultlayer-Attach", "Faultlayer-Experiment"):
        for step in ("Attach", *(["Hold"] if "Hold" in steps else [])):
            assert (steps[step]["onFailure"], steps[step]["onCancel"]) == ("step:Rollback", "step:Rollback")
            assert steps[step]["isCritical"] is True
        # A cancellation may not lead to an action that Automation does not allow there.
        assert steps["Rollback"]["action"] == "aws:executeScript"
        assert steps["Rollback"]["isEnd"] is True and steps["Rollback"]["maxAttempts"] > 1
        # One that comes while the roll-back is being started must start it as well.
        assert steps[steps["Rollback"]["onCancel"].removeprefix("step:")]["action"] == "aws:executeAwsApi"


@pytest.mark.parametrize("name", NAMES)
def test_every_reference_is_declared_and_every_parameter_is_typed_and_limited(name: str) -> None:
    document = shipped(name)
    outputs = {f"{step['name']}.{output['Name']}" for step in document["mainSteps"] for output in step.get("outputs", [])}
    texts = json.dumps([document["mainSteps"], document["assumeRole"]])
    used = set(re.findall(r"\{\{ ?([^{} ]+) ?\}\}", texts))
    assert used - {"automation:EXECUTION_ID"} <= set(document["parameters"]) | outputs
    assert set(document["outputs"]) <= outputs
    for key, parameter in document["parameters"].items():
        assert parameter["description"], key
        assert parameter["type"] in ("Boolean", "Integer", "StringList") or re.compile(parameter["allowedPattern"]), key
        default = parameter.get("default")
        if isinstance(default, str):
            assert re.search(parameter["allowedPattern"], default), key
    declared = {key for key in document["parameters"] if key not in ("AutomationAssumeRole",)}
    assert declared <= used, "a parameter nothing reads"


@pytest.mark.parametrize("name", NAMES)
def test_the_scripts_stand_alone_and_carry_nothing_they_do_not_use(name: str) -> None:
    for step in shipped(name)["mainSteps"]:
        if step["action"] != "aws:executeScript":
            continue
        tree = ast.parse(step["inputs"]["Script"])
        modules = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        modules |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        assert not {module for module in modules if module.split(".")[0] == "faultlayer_documents"}
        space: dict[str, Any] = {"__name__": "script"}
        exec(compile(tree, step["name"], "exec"), space)
        assert callable(space[step["inputs"]["Handler"]])
        defined = {node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        assert defined - {step["inputs"]["Handler"]} <= names


def test_the_check_that_is_shipped_says_word_for_word_what_the_scripts_say() -> None:
    """Of its functions the variables are letters: whatever else the engine's vectors ask, both answer the same."""
    step = shipped("Faultlayer-Attach")["mainSteps"][0]
    space: dict[str, Any] = {"__name__": "script"}
    exec(compile(step["inputs"]["Script"], step["name"], "exec"), space)

    def answer(problems: Callable[[str], list[str]], text: str) -> list[str] | str:
        try:
            return problems(text)
        except ValueError as error:
            return str(error)

    vectors = HERE.parent / "tests" / "vectors"
    cases = [case for name in ("refusals", "decisions") for case in json.loads((vectors / f"{name}.json").read_text())]
    texts = [case["plan"] if isinstance(case["plan"], str) else json.dumps(case["plan"]) for case in cases]
    for text in texts:
        assert answer(space["plan_problems"], text) == answer(plan_problems, text), text
    now = datetime(2026, 11, 23, tzinfo=timezone.utc)
    for text in texts:
        shipped_plan = answer(lambda text: space["timed_plan"](text, now, 5, 10, True), text)
        assert shipped_plan == answer(lambda text: timed_plan(text, now, 5, 10, True), text), text


def test_letters_keep_apart_what_names_keep_apart() -> None:
    source = """
def outer(value, path, *, kept=1):
    count = 0
    def inner(value):
        nonlocal count
        count += 1
        return [item for item in value if item != path]
    try:
        return inner(value), count, kept
    except TypeError as error:
        return len(path), error, value
"""
    tree = lettered(ast.parse(source), {"outer"}, {"kept"})
    space: dict[str, Any] = {}
    exec(compile(tree, "lettered", "exec"), space)
    assert space["outer"]([1, 2, 3], 2, kept=4) == ([1, 3], 1, 4)
    assert isinstance(space["outer"](5, "ab")[1], TypeError)
    said = ast.unparse(tree)
    assert "kept" in said and not any(name in said for name in ("value", "path", "count", "item"))


def test_a_document_above_the_limit_is_not_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "LIMIT", 10_000)
    with pytest.raises(SystemExit, match="the most is 10000"):
        build.build("Faultlayer-Rollback")


@pytest.mark.parametrize("name", NAMES)
def test_a_script_says_what_it_is_and_its_functions_what_they_do(name: str) -> None:
    for step in shipped(name)["mainSteps"]:
        if step["action"] != "aws:executeScript":
            continue
        head, text = step["inputs"]["Script"].split("\n", 1)
        said = re.fullmatch(r"# Faultlayer (\S+), ssm-documents/(scripts/faultlayer_documents/\w+\.py), sha256 (\w{16})", head)
        assert said and said[1] == build.VERSION and (HERE / said[2]).exists()
        assert hashlib.sha256(text.encode()).hexdigest().startswith(said[3])
        sources = [ast.parse(path.read_text()) for path in build.MODULES.glob("*.py")]
        told = {node.name for tree in sources for node in tree.body if isinstance(node, ast.FunctionDef) and ast.get_docstring(node)}
        mute = {node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and not ast.get_docstring(node)}
        assert not mute & told
