"""What attach changes and restore takes off, without any AWS."""

import string
from typing import Any

import pytest
from faultlayer_documents.change import AGENT, HANDLERS, Options, attach_change, environment_size, is_attached, restore_change
from faultlayer_documents.marker import HANDLER, PLAN, RESTORE, Marker, owns
from faultlayer_documents.parse import marker_of, parse_marker
from hypothesis import given, settings
from hypothesis import strategies as st

EXECUTION = "11111111-2222-3333-4444-555555555555"
ACCOUNT = "123456789012"


def arn(name: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:lambda:eu-central-1:{account}:layer:{name}:7"


LAYERS = {f"{kind}-x86_64": arn(f"faultlayer-{kind}") for kind in ("python", "node", "java")}


def options(**more: Any) -> Options:
    return Options(execution=EXECUTION, layers=LAYERS, plan='{"version":1}', **more)


def function(runtime: str = "python3.12", values: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    config: dict[str, Any] = {
        "FunctionName": "f",
        "FunctionArn": f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:f",
        "Runtime": runtime,
        "Handler": "app.handler",
        "Timeout": 3,
        "MemorySize": 128,
        **more,
    }
    if values is not None:
        config["Environment"] = {"Variables": values}
    return config


def applied(config: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    after = {**config, **change}
    if "Layers" in change:
        after["Layers"] = [{"Arn": layer} for layer in change["Layers"]]
    return after


def plain(config: dict[str, Any]) -> dict[str, Any]:
    """Absent and empty maps and lists are the same to Lambda."""
    after = {key: value for key, value in config.items() if value not in ([], {"Variables": {}})}
    return after


def there_and_back(config: dict[str, Any], wanted: Options, alias: dict[str, Any] | None = None) -> dict[str, Any]:
    change, marker = attach_change(config, wanted, alias)
    attached = applied(config, change)
    assert is_attached(attached, change)
    found = marker_of(attached)
    assert found == marker
    back, notes, stuck = restore_change(attached, found, "")
    assert notes == [] and stuck == ""
    return applied(attached, back)


values_ = st.dictionaries(
    st.one_of(
        st.sampled_from(["PYTHONPATH", "JAVA_TOOL_OPTIONS", "NODE_OPTIONS", "AWS_LAMBDA_EXEC_WRAPPER"]),
        st.text(string.ascii_letters, min_size=1, max_size=9),
    ),
    st.one_of(
        st.just(""),
        st.text(max_size=30),
        st.sampled_from(
            ["/opt/python", "a:/opt/python/:b", "a:", ":", "/opt/python:/opt/python", " -Xmx1m  ", "x:y", "-r  ./a.cjs ", "--import=b"]
        ),
    ),
    max_size=6,
)


@settings(max_examples=400, deadline=None)
@given(
    values=st.one_of(st.none(), values_),
    runtime=st.sampled_from(["python3.10", "python3.14", "nodejs22.x", "java11", "java25"]),
    layers=st.lists(st.sampled_from([arn("a"), arn("b"), arn("faultlayer-python", "210987654321")]), unique=True),
    timeout=st.sampled_from([0, 3, 60]),
    memory=st.sampled_from([0, 128, 512]),
    handler=st.sampled_from(["app.handler", "a/b.c.d", "x.Y::z", ""]),
)
def test_restore_undoes_attach_for_any_configuration(
    values: dict[str, str] | None, runtime: str, layers: list[str], timeout: int, memory: int, handler: str
) -> None:
    config = function(runtime, values, Layers=[{"Arn": layer} for layer in layers])
    config["Handler"] = handler or "h"
    assert plain(there_and_back(config, options(timeout=timeout, memory=memory))) == plain(config)


def test_pythonpath_gets_the_layer_only_where_it_is_set_without_it() -> None:
    def attached(values: dict[str, str]) -> str | None:
        change, _ = attach_change(function(values=values), options())
        return change["Environment"]["Variables"].get("PYTHONPATH")

    assert attached({}) is None
    assert attached({"PYTHONPATH": "/a"}) == "/a:/opt/python"
    assert attached({"PYTHONPATH": "/a:/opt/python/"}) == "/a:/opt/python/"
    assert attached({"PYTHONPATH": ""}) == "/opt/python"


def test_what_its_owner_changed_is_kept_and_named() -> None:
    config = function(values={"PYTHONPATH": "/a", "K": "1"}, Layers=[{"Arn": arn("a")}])
    change, marker = attach_change(config, options(timeout=60))
    attached = applied(config, change)
    attached["Handler"] = "new.handler"
    attached["Timeout"] = 30
    attached["Layers"] = [{"Arn": arn("b")}]
    attached["Environment"] = {"Variables": {**change["Environment"]["Variables"], "PYTHONPATH": "/a:/opt/python:/z", "K": "2"}}
    back, notes, _ = restore_change(attached, marker, "")
    assert back == {"Environment": {"Variables": {"PYTHONPATH": "/a:/z", "K": "2"}}}
    assert notes == ["field Handler", "field Timeout", "layer faultlayer-python"]


def test_without_its_variable_the_handler_comes_from_the_record_or_not_at_all() -> None:
    config = function()
    change, marker = attach_change(config, options())
    attached = applied(config, change)
    del attached["Environment"]["Variables"][HANDLER]
    assert restore_change(attached, marker, "app.handler")[0]["Handler"] == "app.handler"
    change, _, stuck = restore_change(attached, marker, "")
    assert "set the handler by hand" in stuck and list(change) == ["Environment"] and PLAN not in change["Environment"]["Variables"]


def test_a_list_of_layers_that_cannot_be_written_is_left_with_a_marker_for_later() -> None:
    change, marker = attach_change(function(), options())
    attached = applied(function(), change)
    back, *_ = restore_change(attached, marker, "", touch_layers=False)
    assert "Layers" not in back and back["Handler"] == "app.handler"
    assert set(back["Environment"]["Variables"]) == {RESTORE}
    later = applied(attached, back)
    again, notes, _ = restore_change(later, parse_marker(back["Environment"]["Variables"][RESTORE]), "")
    assert again == {"Layers": [], "Environment": {"Variables": {}}} and notes == []


def test_the_marker_says_what_cannot_be_told_from_the_function_in_a_few_dozen_bytes() -> None:
    alias = {"Name": "live", "FunctionVersion": "7", "RoutingConfig": {"AdditionalVersionWeights": {"8": 0.1}}}
    change, marker = attach_change(function(values={"PYTHONPATH": "x"}), options(timeout=60, memory=512), alias)
    text = change["Environment"]["Variables"][RESTORE]
    assert text == f"1,{EXECUTION},faultlayer-python,python,path,t3-60,m128-512,a=live:7:8=0.1"
    assert parse_marker(text) == marker
    assert owns(marker, arn("faultlayer-python"), ACCOUNT) and not owns(marker, arn("faultlayer-python", "9" * 12), ACCOUNT)


def test_a_layer_of_another_account_is_named_with_it() -> None:
    wanted = Options(EXECUTION, {"python-x86_64": arn("l", "210987654321")}, "{}")
    _, marker = attach_change(function(), wanted)
    assert marker.layer == "210987654321:l"
    assert owns(marker, arn("l", "210987654321"), ACCOUNT) and not owns(marker, arn("l"), ACCOUNT)


@pytest.mark.parametrize("text", ["", "2,e,l", "1,e", "1,e,l,what", "yes"])
def test_a_foreign_marker_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=RESTORE):
        parse_marker(text)


def test_the_agent_stands_in_front_and_an_empty_option_comes_back_empty() -> None:
    config = function("java21", {"JAVA_TOOL_OPTIONS": ""})
    change, _ = attach_change(config, options())
    assert change["Environment"]["Variables"]["JAVA_TOOL_OPTIONS"] == AGENT
    assert "Handler" not in change
    assert there_and_back(config, options())["Environment"] == {"Variables": {"JAVA_TOOL_OPTIONS": ""}}
    assert HANDLERS["node"] == "/opt/faultlayer/node/handler.handler"


def test_the_size_is_that_of_compact_json_in_utf_8() -> None:
    assert environment_size({"A": "é"}) == len('{"A":"é"}'.encode())
    assert environment_size({"A": '"'}) == len('{"A":"\\""}')
    assert Marker("e", "l").text() == "1,e,l" and PLAN == "FAULTLAYER_PLAN"
