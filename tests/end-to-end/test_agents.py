"""A monitoring agent's installer on a function with the shipped layer: it moves the handler it finds into a variable and puts its
own in. Faults fire through both wrappers, and after the roll-back the agent wraps the user's own handler again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from client import Lab, archive

from test_attach import ARCH, PLAN, documents, execute, invoke, layers, pack, version

PYTHON_AGENT = """
import importlib, os
def wrap(event, context):
    module, name = os.environ['AGENT_HANDLER'].rsplit('.', 1)
    return {'agent': getattr(importlib.import_module(module), name)(event, context)}
"""
NODE_AGENT = """
const path = process.env.AGENT_HANDLER.replace(/\\.(\\w+)$/, '');
const name = process.env.AGENT_HANDLER.slice(path.length + 1);
const inner = path.startsWith('/') ? import(path + '.mjs').catch(() => require(path)) : Promise.resolve(require(`/var/task/${path}`));
exports.wrap = async (event, context) => ({ agent: await (await inner)[name](event, context) });
"""
HEALTHY, AGENT = {"n": 2}, {"agent": {"n": 2}}


def python() -> dict[str, Any]:
    code = archive(app="def handler(event, context):\n    return {'n': event['n'] + 1}\n", agent=PYTHON_AGENT)
    runtime = f"python{version(['python3', '--version'])}"
    return {"Runtime": runtime, "Handler": "app.handler", "Code": {"ZipFile": code}}


def node() -> dict[str, Any]:
    own = b"exports.handler = async (event) => ({ n: event.n + 1 });\n"
    code = pack({"app.js": own, "agent.js": NODE_AGENT.encode()})
    runtime = f"nodejs{version(['node', '--version'])}.x"
    return {"Runtime": runtime, "Handler": "app.handler", "Code": {"ZipFile": code}}


def change(lab: Lab, handler: str, values: dict[str, str]) -> None:
    lab.functions.update_function_configuration(FunctionName="one", Handler=handler, Environment={"Variables": values})
    lab.settled()


def install(lab: Lab) -> None:
    config = lab.settled()
    values = config.get("Environment", {}).get("Variables", {})
    change(lab, "agent.wrap", {**values, "AGENT_HANDLER": config["Handler"]})


def remove(lab: Lab) -> None:
    values = dict(lab.settled()["Environment"]["Variables"])
    change(lab, values.pop("AGENT_HANDLER"), values)


@pytest.mark.parametrize("language", [python, node])
@pytest.mark.parametrize("order", ["attach install", "install attach", "attach install remove", "install attach remove"])
def test_whichever_comes_and_goes_the_function_works_after_the_roll_back(lab: Lab, language: Any, order: str) -> None:
    ours = layers(lab)
    documents(lab)
    lab.function(**language(), Timeout=30, MemorySize=512, Architectures=[ARCH])
    assert invoke(lab)[:2] == (HEALTHY, None)
    for act in order.split():
        if act == "attach":
            parameters = {key: [arn] for key, arn in ours.items()}
            execute(lab, "Faultlayer-Attach", FunctionNames=["one"], Plan=[json.dumps(PLAN)], **parameters)
        elif act == "install":
            install(lab)
        else:
            remove(lab)
    answer, error, _ = invoke(lab)
    # An agent that puts back what it found before us takes us out of the way.
    fires = order != "install attach remove"
    assert (answer.get("errorMessage") == "on purpose", error == "Unhandled") == (fires, fires), answer
    execute(lab, "Faultlayer-Rollback", FunctionNames=["one"])
    after = lab.settled()
    assert "Layers" not in after
    assert "faultlayer" not in json.dumps(after).lower()
    assert invoke(lab)[:2] == (HEALTHY if order.endswith("remove") else AGENT, None)
