"""Agents that look at the handler before the runtime client does: they see one that they can wrap; faults stay."""

from __future__ import annotations

import pytest

from function import Function, answers, logged

SLOW = {"id": "slow", "kind": "latency", "rate": 1, "delay_ms": 1}

# Each wraps the handler that `_HANDLER` names, in the way of its language.
PYTHON = """
    import importlib, os

    module, _, name = os.environ["_HANDLER"].rpartition(".")
    module = importlib.import_module(module)
    handler = getattr(module, name)

    def traced(event, context):
        os.write(1, b"traced\\n")
        return handler(event, context)

    setattr(module, name, traced)
"""
NODE = """
    const { writeSync } = require('node:fs');
    const [file, name] = process.env._HANDLER.split('.');
    const loaded = require(`${process.env.LAMBDA_TASK_ROOT}/${file}`);
    const handler = loaded[name];
    loaded[name] = async (event, context) => {
      writeSync(1, 'traced\\n');
      return handler(event, context);
    };
"""
CODE = {
    "python": (
        "app.py",
        "def handler(event, context): return event",
        "sitecustomize.py",
        PYTHON,
        "PYTHONPATH=/var/task",
    ),
    "node": ("app.js", "exports.handler = async (event) => event;", "agent.cjs", NODE, "NODE_OPTIONS=-r ./agent.cjs"),
}


@pytest.mark.parametrize("language", CODE)
def test_an_agent_that_comes_first_traces_and_faults_happen(function: Function, language: str) -> None:
    name, code, agent, agent_code, variable = CODE[language]
    function.code(code, name)
    function.code(agent_code, agent)
    options = ["--env", variable, "--events", function.events(1, 2), "--memory", "256"]
    for plan in ([], ["--plan", function.plan(SLOW)]):
        report = function.run(*options, *plan, runtime=language)
        lines = logged(report)
        assert answers(report) == [1, 2]
        assert lines.count("traced") == 2, lines
        assert sum('"fault":"slow"' in line for line in lines) == (2 if plan else 0), lines
