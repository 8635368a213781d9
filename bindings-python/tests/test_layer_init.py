"""Init: with the layer, a handler resolves as without it, and what cannot be resolved is reported in the same words."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import Lambda
from runtime_api import Answer


@pytest.fixture
def function(function_of_any_client: Lambda) -> Lambda:
    return function_of_any_client


# Handler, files. What each does at init is the client's business: the tests only compare with and without the layer.
BROKEN: dict[str, tuple[str, dict[str, str]]] = {
    "no module": ("nowhere.handler", {}),
    "no module in package": ("pkg.nowhere.handler", {"pkg/__init__.py": ""}),
    "no attribute": ("app.nothing", {"app.py": "handler = None\n"}),
    "no dot": ("handler", {"app.py": ""}),
    "built-in module": ("sys.handler", {}),
    "syntax error": ("app.handler", {"app.py": "def handler(event, context):\n    return (\n"}),
    "syntax error deeper": ("app.handler", {"app.py": "import deeper\n", "deeper.py": "x = = 1\n"}),
    "import error": ("app.handler", {"app.py": "import there_is_no_such_module\n"}),
    "import error with a cause": ("app.handler", {"app.py": "from os import there_is_no_such_name\n"}),
    "error at import": ("app.handler", {"app.py": "def load():\n    raise RuntimeError('größe')\n\n\nload()\n"}),
    "attribute error at import": ("app.handler", {"app.py": "import os\n\nos.there_is_no_such_name\n"}),
    "own attribute error": ("app.handler", {"app.py": "class Mine(AttributeError):\n    pass\n\n\nraise Mine('x')\n"}),
    "key error at import": ("app.handler", {"app.py": "import os\n\nos.environ['TABLE_OF_NOTHING']\n"}),
    "empty message": ("app.handler", {"app.py": "raise ValueError\n"}),
    "deep error": ("a/b.handler", {"a/b.py": "import c\n", "c.py": "import d\n", "d.py": "1 / 0\n"}),
    "chained error": (
        "app.handler",
        {"app.py": "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise AttributeError('b') from e\n"},
    ),
}


def reported(function: Lambda, handler: str, *, layered: bool) -> tuple[Answer, str]:
    with function.start(handler, layered=layered) as environment:
        # The older clients report a broken handler at the first invocation.
        answer = environment.invoke({}, request_id="one")
        environment.process.kill() if answer.kind == "error" else environment.process.wait()
        environment.close()
        return answer, environment.log()


@pytest.mark.parametrize("case", BROKEN)
def test_init_errors_are_the_same_with_and_without_the_layer(function: Lambda, case: str) -> None:
    handler, files = BROKEN[case]
    for name, text in files.items():
        function.write(name, text)
    without, log_without = reported(function, handler, layered=False)
    with_layer, log_with = reported(function, handler, layered=True)
    assert without.kind in ("init_error", "error")
    assert with_layer.kind == without.kind
    assert with_layer.body == without.body
    name = "lambda-runtime-function-error-type"
    assert with_layer.headers.get(name) == without.headers.get(name)
    assert lines_of_user(log_with) == lines_of_user(log_without)


def lines_of_user(log: str) -> list[str]:
    """The log without Faultlayer's own record and without the clock of the client's warning."""
    lines = [line for line in log.splitlines() if not line.startswith('{"timestamp"')]
    return [line if not line.startswith("[WARNING]") else line.split("\t", 2)[0] for line in lines]


def test_exit_at_import_ends_the_process_alike(function: Lambda) -> None:
    function.write("app.py", "import sys\n\nsys.exit(3)\n")
    statuses = []
    for layered in (False, True):
        with function.start(layered=layered) as environment:
            answer = environment.answer()
            assert answer.kind == "exit"
            statuses.append(answer.exit_status)
    assert statuses == [3, 3]


@pytest.mark.parametrize(
    ("handler", "name"),
    [
        ("app.handler", "app.py"),
        ("pkg.sub.mod.handler", "pkg/sub/mod.py"),
        ("src/app.handler", "src/app.py"),
        ("src/deep.app.handler", "src/deep/app.py"),
    ],
)
def test_handlers_resolve_and_load_once(function: Lambda, handler: str, name: str) -> None:
    function.write(
        name,
        "import os, sys\n"
        "print('loaded', __name__)\n"
        "SEEN = os.environ['_HANDLER']\n"
        "def handler(event, context):\n"
        "    return [SEEN, os.environ['_HANDLER'], __name__, context.function_name]\n",
    )
    with function.start(handler) as environment:
        answer = environment.invoke({"a": 1})
        assert environment.invoke({"a": 1}).kind == "response"
        environment.close()
        module = handler.rsplit(".", 1)[0].replace("/", ".")
        assert answer.json == [handler, handler, module, "hello"]
        assert environment.log().count("loaded") == 1


def test_a_handler_that_is_no_function_works(function: Lambda) -> None:
    function.write(
        "app.py",
        "import functools\n"
        "class Handler:\n"
        "    def __call__(self, event, context):\n"
        "        return 'called'\n"
        "    def method(self, event, context):\n"
        "        return 'method'\n"
        "called = Handler()\n"
        "method = called.method\n"
        "partial = functools.partial(lambda word, event, context: word, 'partial')\n"
        "nothing = 5\n",
    )
    for name in ("called", "method", "partial"):
        with function.start(f"app.{name}") as environment:
            assert environment.invoke({}).json == name
    told = []
    for layered in (False, True):
        with function.start("app.nothing", layered=layered) as environment:
            told.append(environment.invoke({}, request_id="one").body)
    assert told[0] == told[1]


@pytest.mark.parametrize("value", [None, "", "faultlayer_layer.handler"])
def test_without_the_original_handler_the_init_error_says_what_to_set(function: Lambda, value: Any) -> None:
    function.write("app.py", "def handler(event, context):\n    return 1\n")
    with function.start(variables={"FAULTLAYER_HANDLER": value}) as environment:
        answer = environment.answer()
        assert answer.kind == "init_error"
        assert "FAULTLAYER_HANDLER" in answer.json["errorMessage"]
        assert "`app.handler`" in answer.json["errorMessage"]
        assert environment.answer().kind == "exit"


def test_a_wrapper_that_took_the_handler_name_keeps_it(one_function: Lambda) -> None:
    one_function.write("app.py", "import os\n\n\ndef handler(event, context):\n    return os.environ['_HANDLER']\n")
    with one_function.start(variables={"_HANDLER": "otel_wrapper.lambda_handler"}) as environment:
        assert environment.invoke({}).json == "otel_wrapper.lambda_handler"


def test_without_the_native_module_the_function_runs_and_one_record_says_why(function: Lambda) -> None:
    broken = function.code.parent / f"{function.code.name}-opt"
    package = broken / "python" / "faultlayer_layer"
    package.mkdir(parents=True)
    for path in (function.layer / "python" / "faultlayer_layer").glob("*.py"):
        (package / path.name).write_bytes(path.read_bytes())
    (package / "_native.abi3.so").write_bytes(b"\x7fELF of another machine")
    function.layer = broken
    function.write("app.py", "def handler(event, context):\n    return {'fine': event}\n")
    function.write("broken.py", "import os\n\nos.there_is_no_such_name\n")
    with function.start(variables={"FAULTLAYER_PLAN": "{}"}) as environment:
        assert environment.invoke([1]).json == {"fine": [1]}
        environment.close()
        [record] = environment.records()
        assert (record["level"], record["reason"]) == ("ERROR", "internal_error")
        assert "fault" not in record
    with function.start("broken.handler") as environment:
        answer = environment.answer()
        assert answer.kind == "init_error" or function.release < "3"
        if answer.kind == "init_error":
            assert answer.json["errorType"] in ("AttributeError", "FaultException")
