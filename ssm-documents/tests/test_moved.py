"""An agent's installer meets Faultlayer on a function: whichever wraps the other, whichever comes or goes first, the roll-back
leaves the handler that would be there without us, or says that it cannot."""

import json
import time
from typing import Any

import pytest
from faultlayer_documents.change import AGENT, HANDLERS, PRELOADED, Options, attach_change, restore_change
from faultlayer_documents.marker import HANDLER, PLAN, RESTORE
from faultlayer_documents.parse import marker_of
from labworld import LabWorld

AGENTS = {"python": "agent.wrap", "node": "/opt/nodejs/agent.wrap"}
VARIABLE = "AGENT_HANDLER"
OWN = {"python": "app.handler", "node": "index.handler"}


def update(lab: LabWorld, name: str, **change: Any) -> None:
    lab.fn.update_function_configuration(FunctionName=name, **change)
    while lab.config(name)["LastUpdateStatus"] == "InProgress":
        time.sleep(0.01)


def state(lab: LabWorld, name: str) -> tuple[str, dict[str, str]]:
    config = lab.config(name)
    return config["Handler"], dict(config.get("Environment", {}).get("Variables", {}))


def install(lab: LabWorld, name: str, kind: str) -> None:
    """As Datadog's, New Relic's and Lumigo's installers do: what is the handler moves into a variable."""
    handler, values = state(lab, name)
    update(lab, name, Handler=AGENTS[kind], Environment={"Variables": {**values, VARIABLE: handler}})


def remove(lab: LabWorld, name: str) -> None:
    handler, values = state(lab, name)
    update(lab, name, Handler=values.pop(VARIABLE, handler), Environment={"Variables": values})


def attached(lab: LabWorld, name: str) -> bool:
    return bool(lab.config(name).get("Layers"))


@pytest.mark.parametrize("kind", ["python", "node"])
@pytest.mark.parametrize(
    ("order", "ends_installed"),
    [("attach install", True), ("attach install remove", False), ("install attach", True), ("install attach remove", False)],
)
def test_every_order_ends_with_the_handler_that_would_be_there(lab: LabWorld, kind: str, order: str, ends_installed: bool) -> None:
    name = lab.function(kind=kind)
    own = state(lab, name)[1]
    execution = ""
    for act in order.split():
        if act == "attach":
            execution = lab.attach([name])
        elif act == "install":
            install(lab, name, kind)
        else:
            remove(lab, name)
    report = lab.roll_back(ExecutionId=execution)
    assert report["restored"] == 1 and not attached(lab, name)
    wanted = (AGENTS[kind], {**own, VARIABLE: OWN[kind]}) if ends_installed else (OWN[kind], own)
    assert state(lab, name) == wanted


@pytest.mark.parametrize("kind", ["python", "node"])
def test_an_agent_that_is_installed_over_itself_and_us_is_left_with_its_layer_and_without_a_plan(lab: LabWorld, kind: str) -> None:
    """It was there before, and wraps what it finds: us, who hold itself. What it held before is lost."""
    name = lab.function(kind=kind)
    install(lab, name, kind)
    execution = lab.attach([name])
    install(lab, name, kind)
    result = lab.restore(ExecutionId=execution)
    assert result["Left"] == 1
    assert f"the plan is off, but it names Faultlayer in `{VARIABLE}`" in json.loads(result["Report"])["left"][name]
    handler, values = state(lab, name)
    assert attached(lab, name) and handler == AGENTS[kind]
    assert PLAN not in values and values[HANDLER] == AGENTS[kind] and values[RESTORE] and values[VARIABLE] == HANDLERS[kind]
    # Its owner says what the agent wraps, and the next roll-back finishes.
    update(lab, name, Environment={"Variables": {**values, VARIABLE: OWN[kind]}})
    assert lab.roll_back(FunctionNames=[name])["restored"] == 1
    assert not attached(lab, name) and state(lab, name)[0] == AGENTS[kind] and HANDLER not in state(lab, name)[1]


def test_a_handler_inside_another_text_is_left_and_named(lab: LabWorld) -> None:
    name = lab.function(kind="bare")
    execution = lab.attach([name])
    _, values = state(lab, name)
    update(lab, name, Handler="agent.wrap", Environment={"Variables": {**values, "CONFIG": '{"wraps":"faultlayer_layer.handler"}'}})
    assert "`CONFIG`" in json.loads(lab.restore(ExecutionId=execution)["Report"])["left"][name]
    assert attached(lab, name) and PLAN not in state(lab, name)[1]


def moved(kind: str, own: dict[str, str] | None = None, **more: str) -> tuple[dict[str, Any], str]:
    """What a roll-back leaves of the variables where attaching to a function with its `own` was followed by somebody's `more`."""
    runtime = {"python": "python3.12", "node": "nodejs22.x", "java": "java21"}[kind]
    config = {
        "FunctionName": "f", "FunctionArn": "arn:aws:lambda:r:123456789012:function:f", "Runtime": runtime, "Handler": "own.handler",
        "Timeout": 3, "MemorySize": 128, "Environment": {"Variables": own or {}},
    }  # fmt: skip
    options = Options("11111111-2222-3333-4444-555555555555", {f"{kind}-x86_64": "arn:aws:lambda:r:123456789012:layer:l:1"}, "{}")
    change, _ = attach_change(config, options)
    now = {**config, **change, "Layers": [{"Arn": arn} for arn in change["Layers"]]}
    now["Environment"] = {"Variables": {**change["Environment"]["Variables"], **more}}
    marker = marker_of(now)
    assert marker
    back, _, stuck = restore_change(now, marker, "")
    return back["Environment"]["Variables"], stuck


def test_the_agent_of_java_goes_from_wherever_it_was_copied_to() -> None:
    assert moved("java", OTHER_OPTIONS=f"-Xmx1m {AGENT} -Da=b") == ({"OTHER_OPTIONS": "-Xmx1m -Da=b"}, "")
    assert moved("java", JAVA_TOOL_OPTIONS=f"{AGENT} {AGENT} -Xmx1m") == ({"JAVA_TOOL_OPTIONS": "-Xmx1m"}, "")
    assert moved("java", OTHER=f"{AGENT}2") == ({"OTHER": f"{AGENT}2"}, "")
    values, stuck = moved("java", OTHER=f'run "{AGENT}"')
    assert "`OTHER`" in stuck and PLAN not in values and RESTORE in values


def test_what_node_preloads_goes_from_wherever_it_was_copied_to() -> None:
    first, last = PRELOADED
    wrapper = {"AWS_LAMBDA_EXEC_WRAPPER": "/opt/otel-handler"}
    assert moved("node", {"NODE_OPTIONS": "-r ./a.cjs"}) == ({"NODE_OPTIONS": "-r ./a.cjs"}, "")
    assert moved("node", wrapper) == (wrapper, "")
    assert moved("node", wrapper, NODE_OPTIONS=f"{first} {last} --import b") == ({**wrapper, "NODE_OPTIONS": "--import b"}, "")
    assert moved("node", {"NODE_OPTIONS": "-r a"}, NODE_OPTIONS="-r b") == ({"NODE_OPTIONS": "-r b"}, "")
    assert moved("node", {"NODE_OPTIONS": "-r a"}, OLD=f"{first} -r a {last}") == ({"NODE_OPTIONS": "-r a", "OLD": "-r a"}, "")
    values, stuck = moved("node", {"NODE_OPTIONS": "-r a"}, NODE_OPTIONS="-r a --import /opt/faultlayer/node/last.mjs")
    assert "`NODE_OPTIONS`" in stuck and PLAN not in values and RESTORE in values


def test_every_variable_that_holds_the_handler_gets_the_original() -> None:
    assert moved("python", A=HANDLERS["python"], B=f" {HANDLERS['python']} ") == ({"A": "own.handler", "B": "own.handler"}, "")
    assert moved("node", A=HANDLERS["node"], B=HANDLERS["node"] + "s") == ({"A": "own.handler", "B": HANDLERS["node"] + "s"}, "")
