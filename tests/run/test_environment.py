"""What a function meets in an environment of the lab, and what its callers see when it fails; without a layer."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest

from function import ROOT, Function, answers, logged, outcomes


def test_a_function_finds_what_it_finds_in_lambda(function: Function, monkeypatch: pytest.MonkeyPatch) -> None:
    # The tests' own environment lies in the checkout: of one below /tmp the function would find the way to it there.
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    function.code("""
        import os, sys

        def writable(folder):
            try:
                with open(os.path.join(folder, "probe"), "w"):
                    return True
            except OSError:
                return False

        def handler(event, context):
            return {
                "path": sys.path[:4], "folder": os.getcwd(), "task": os.listdir("/var/task"), "tmp": os.listdir("/tmp"),
                "writable": [f for f in ("/tmp", "/var/task", "/opt", "/usr", "/") if writable(f)],
                "variables": {n: os.environ.get(n) for n in event}, "left": context.get_remaining_time_in_millis(),
                "arn": context.invoked_function_arn, "memory": context.memory_limit_in_mb,
            }
        """)
    names = [
        "_HANDLER",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_REGION",
        "LAMBDA_TASK_ROOT",
        "LAMBDA_RUNTIME_DIR",
        "PYTHONPATH",
        "MINE",
        "HOME",
        "TZ",
    ]
    report = function.run("--env", "MINE=a=b", "--memory", "200", "--timeout", "5s", "--events", function.events(names))
    (answer,) = answers(report)
    version = report["function"]["runtime"].removeprefix("python")
    site = f"/opt/python/lib/python{version}/site-packages"
    assert answer["path"] == ["/var/task", site, "/opt/python", "/var/runtime"]
    assert answer["folder"] == "/var/task"
    assert "app.py" in answer["task"]
    assert answer["tmp"] == []
    assert answer["writable"] == ["/tmp"]
    assert answer["variables"] == {
        "_HANDLER": "app.handler",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{version}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "200",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_REGION": "us-east-1",
        "LAMBDA_TASK_ROOT": "/var/task",
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "PYTHONPATH": "/var/runtime",
        "MINE": "a=b",
        "HOME": None,
        "TZ": ":UTC",
    }
    assert 0 < answer["left"] <= 5000
    assert answer["arn"].startswith("arn:aws:lambda:us-east-1:")
    assert answer["memory"] == "200"


def test_layers_lie_under_opt_the_last_over_the_first(any_function: Function) -> None:
    function = any_function
    for name, text in (("one", "1"), ("two", "2")):
        package = function.folder / name / "python"
        package.mkdir(parents=True)
        (package / "shared_name.py").write_text(f"value = {text}")
        (package / f"only_{name}.py").write_text("")
    function.code("""
        import only_one, only_two, shared_name

        def handler(event, context):
            return shared_name.value
        """)
    report = function.run("--layer", str(function.folder / "one"), "--layer", str(function.folder / "two"), "-n", "1")
    assert answers(report) == [2]


def test_pythonpath_hides_layers_as_in_the_managed_runtime(function: Function) -> None:
    (function.folder / "layer/python").mkdir(parents=True)
    (function.folder / "layer/python/of_the_layer.py").write_text("")
    function.code("""
        def handler(event, context):
            import of_the_layer
        """)
    layer = ["--layer", str(function.folder / "layer"), "-n", "1"]
    assert outcomes(function.run(*layer)) == ["ok"]
    hidden = function.run(*layer, "--env", "PYTHONPATH=/var/task/lib")
    assert hidden["run"]["errors"] == {"ModuleNotFoundError": 1}
    assert outcomes(function.run(*layer, "--env", "PYTHONPATH=/opt/python")) == ["ok"]


FAILING = """
    import os, signal, sys, time

    calls = 0

    def handler(event, context):
        global calls
        calls += 1
        with open(os.path.join(os.environ.get("TMPDIR", "/tmp"), "visits"), "a") as visits:
            visits.write("x")
            visits.flush()
            total = visits.tell()
        print("called with", event)
        match event:
            case "exit": os._exit(3)
            case "leave": os._exit(0)
            case "signal": os.kill(os.getpid(), signal.SIGSEGV)
            case "sleep": time.sleep(60)
            case "eat": return len(bytearray(600_000_000))
            case "raise": raise ConnectionError("größe")
            case "much": return "x" * 6_400_000
        return [calls, total]
    """


@pytest.mark.parametrize(
    ("event", "outcome", "error_type", "words"),
    [
        ("exit", "crash", "Runtime.ExitError", "Runtime exited with error: exit status 3"),
        ("leave", "crash", "Runtime.ExitError", "Runtime exited without providing a reason"),
        ("signal", "crash", "Runtime.ExitError", "Runtime exited with error: signal: segmentation fault"),
        ("sleep", "timeout", "Sandbox.Timedout", "Task timed out after 4.00 seconds"),
        ("eat", "out_of_memory", "Runtime.OutOfMemory", "Runtime exited with error: signal: killed"),
    ],
)
def test_a_process_that_ends_is_replaced_in_its_environment(
    any_function: Function, event: str, outcome: str, error_type: str, words: str
) -> None:
    any_function.code(FAILING)
    events = any_function.events("fine", "fine", event, "fine", "fine")
    report = any_function.run("--events", events, "--timeout", "4s" if event == "sleep" else "2m", "--memory", "256")
    assert outcomes(report) == ["ok", "ok", outcome, "ok", "ok"]
    failed = report["invocations"][2]
    assert json.loads(failed["answer"]) == {
        "errorType": error_type,
        "errorMessage": f"RequestId: {failed['request_id']} Error: {words}",
    }
    # The module is loaded anew, /tmp is what it was.
    assert [answer for answer in answers(report) if isinstance(answer, list)] == [[1, 1], [2, 2], [1, 4], [2, 5]]
    assert [invocation["cold_start"] for invocation in report["invocations"]] == [True, False, False, True, False]
    assert report["run"]["cold_starts"] == 2
    assert f"called with {event}" in failed["log"]
    assert any(words in line for line in failed["log"])
    status = "Status: timeout" if outcome == "timeout" else f"Status: error\tError Type: {error_type}"
    assert failed["log"][-1].endswith(status)


def test_a_handlers_error_is_what_its_client_says(function: Function) -> None:
    function.code(FAILING)
    report = function.run("--events", function.events("raise", "fine"))
    error, fine = answers(report)
    assert error["errorType"] == "ConnectionError"
    assert error["errorMessage"] == "größe"
    assert error["requestId"] == report["invocations"][0]["request_id"]
    (frame,) = error["stackTrace"]
    assert frame.startswith('  File "/var/task/app.py", line ')
    assert fine == [2, 2], "the process goes on"
    assert report["run"]["errors"] == {"ConnectionError": 1}


def test_an_answer_beyond_the_limit_is_refused(function: Function) -> None:
    function.code(FAILING)
    report = function.run("--events", function.events("much", "fine"), "--memory", "512")
    assert outcomes(report) == ["too_large", "ok"]
    assert answers(report)[0]["errorType"] == "Function.ResponseSizeTooLarge"


@pytest.mark.parametrize(
    ("code", "handler", "error_type"),
    [
        ("import not_there", "app.handler", "Runtime.ImportModuleError"),
        ("def handler(:", "app.handler", "Runtime.UserCodeSyntaxError"),
        ("x = 1", "app.handler", "Runtime.HandlerNotFound"),
        ("raise LookupError('x')", "app.handler", "LookupError"),
        ("", "nowhere.handler", "Runtime.ImportModuleError"),
    ],
)
def test_what_cannot_be_initialised_is_tried_again_with_the_invocation(
    function: Function, code: str, handler: str, error_type: str
) -> None:
    function.code(code)
    report = function.run("-n", "2", handler=handler, status=1)
    assert outcomes(report) == ["init_error", "init_error"]
    assert report["run"]["errors"] == {error_type: 2}
    assert {answer["errorType"] for answer in answers(report)} == {error_type}
    tried = [line for line in logged(report) if line.startswith("[ERROR]")]
    assert len(tried) == 3, "once before the first invocation, then once with each"


def test_a_handler_that_cannot_be_loaded_is_said_first_with_the_place_in_the_functions_own_code(
    any_function: Function,
) -> None:
    any_function.code("""
        import json

        SETTINGS = json.loads("no JSON")
        """)
    done = subprocess.run(any_function.command("-n", "2"), capture_output=True, encoding="utf-8", cwd=ROOT)
    assert done.returncode == 1
    _, _, said, frame, *_ = done.stdout.splitlines()
    assert said == "the handler could not be loaded: JSONDecodeError: Expecting value: line 1 column 1 (char 0)"
    assert any_function.options or frame.endswith('File "/var/task/app.py", line 4, in <module>')


JAVA = """
package example;

public class Sound { public String run(Object event) { return "fine"; } }

class Broken {
  static final String NAME = System.getenv("NOWHERE").strip();
  public String run(Object event) { return NAME; }
}
"""


@pytest.mark.skipif(not shutil.which("javac"), reason="no JDK")
@pytest.mark.parametrize(
    ("handler", "why", "frame"),
    [
        ("example.Missing", "java.lang.ClassNotFoundException: Class not found: example.Missing", ""),
        ("example.Sound::missing", "Runtime.BadFunctionCode: No public method named missing with", ""),
        (
            "example.Broken::run",
            "java.lang.ExceptionInInitializerError: Error loading class example.Broken, caused by"
            ' java.lang.NullPointerException: Cannot invoke "String.strip()"',
            "  example.Broken.<clinit>(Sound.java:7)",
        ),
    ],
)
def test_javas_client_says_at_each_call_that_there_is_no_handler(
    function: Function, handler: str, why: str, frame: str
) -> None:
    function.code(JAVA, "Sound.java")
    subprocess.run(["javac", "-d", function.folder, function.folder / "Sound.java"], check=True)
    command = function.command("-n", "2", handler=handler, runtime="java")
    done = subprocess.run(command, capture_output=True, encoding="utf-8", cwd=ROOT)
    assert done.returncode == 1
    _, _, said, place, *_ = done.stdout.splitlines()
    assert said.startswith(f"the handler could not be loaded: {why}")
    assert place == frame


def test_the_first_message_of_each_error_type_stands_below_the_table(function: Function) -> None:
    function.code("""
        def handler(event, context):
            raise KeyError(event) if event else LookupError("nothing given")
        """)
    events = function.events("one", "two", None)
    done = subprocess.run(
        function.command("--events", events), capture_output=True, encoding="utf-8", cwd=ROOT, check=True
    )
    told = [line.strip() for line in done.stdout.splitlines() if line.startswith("  the first ")]
    assert told == ["the first KeyError: 'one'", "the first LookupError: nothing given"]


def test_an_initialisation_that_ends_the_process_is_a_crash(function: Function) -> None:
    function.code("import os; os._exit(7)")
    report = function.run("-n", "1")
    assert answers(report)[0]["errorMessage"].endswith("Error: Runtime exited with error: exit status 7")


def test_log_lines_stand_between_start_and_end(function: Function) -> None:
    function.code("""
        import sys
        print("loading")

        def handler(event, context):
            print("to stdout")
            print("to stderr", file=sys.stderr)
            sys.stdout.write("no newline")
            sys.stdout.flush()
        """)
    (invocation,) = function.run("-n", "1")["invocations"]
    request_id = invocation["request_id"]
    lines = invocation["log"]
    assert lines[0].startswith("INIT_START Runtime Version: python:3.")
    assert lines[1:7] == [
        "loading",
        f"START RequestId: {request_id} Version: $LATEST",
        "to stdout",
        "to stderr",
        "no newline",
        f"END RequestId: {request_id}",
    ]
    assert lines[7].startswith(f"REPORT RequestId: {request_id}\tDuration: ")
    assert "\tInit Duration: " in lines[7]
    assert len(lines) == 8


@pytest.mark.parametrize(
    ("expression", "answer"),
    [
        ("{'a': 1, 'b': None}", '{"a": 1, "b": null}'),
        ("None", "null"),
        ("'text'", '"text"'),
        ("[1, 2.5]", "[1, 2.5]"),
        ("b'raw \\xc3\\xbc'", "raw ü"),
    ],
)
def test_answers_arrive_as_the_client_posts_them(function: Function, expression: str, answer: str) -> None:
    function.code(f"def handler(event, context): return {expression}")
    (invocation,) = function.run("-n", "1")["invocations"]
    assert invocation["answer"] == answer
    assert invocation["answer_bytes"] == len(answer.encode())


def test_events_are_taken_in_turn_as_they_are_written(function: Function) -> None:
    function.code("def handler(event, context): return event")
    events: list[Any] = [{"a": [1.5, None]}, "ü", 0]
    assert answers(function.run("--events", function.events(*events), "-n", "5")) == [*events, *events[:2]]


def test_a_wrapper_script_starts_the_runtime(any_function: Function) -> None:
    wrapper = any_function.folder / "wrapper"
    wrapper.write_text('#!/bin/sh\nexport WRAPPED="yes"\nexec "$@"\n')
    wrapper.chmod(0o755)
    any_function.code("""
        import os

        def handler(event, context):
            return os.environ["WRAPPED"]
        """)
    assert answers(any_function.run("-n", "1", "--env", "AWS_LAMBDA_EXEC_WRAPPER=/var/task/wrapper")) == ["yes"]
