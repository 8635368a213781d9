"""Automation: steps, references, outputs, failures, cancellation."""

from __future__ import annotations

import json
import os
import signal
from typing import Any

import pytest

from client import ROLE, Lab, archive, refused, statuses, until
from documents import document, mark, script, sleep

ID = "11111111-2222-3333-4444-555555555555"


def test_a_script_runs_under_the_documents_role_and_its_payload_becomes_outputs(lab: Lab) -> None:
    lab.function()
    body = (
        "me = boto3.client('sts').get_caller_identity()['Arn']\n"
        "config = boto3.client('lambda').get_function(FunctionName=events['names'][0])['Configuration']\n"
        "return {'me': me, 'names': events['names'], 'timeout': config['Timeout'], 'events': events, 'yes': True,"
        " 'id': context['automation:EXECUTION_ID'], 'rows': [{'a': 1}]}"
    )
    payload = {
        "names": "{{ Names }}",
        "id": "{{automation:EXECUTION_ID}}",
        "where": "in {{ global:REGION }}",
        "dry": "{{ Dry }}",
        "n": "{{ Count }}",
    }
    outputs = {
        "me": "String",
        "names": "StringList",
        "timeout": "Integer",
        "events": "StringMap",
        "yes": "Boolean",
        "rows": "MapList",
    }
    parameters = {
        "Names": {"type": "StringList"},
        "Dry": {"type": "Boolean", "default": False},
        "Count": {"type": "Integer", "default": 3},
    }
    made = document(script(body, payload=payload, outputs=outputs), parameters=parameters, outputs=["first.me", "first.names"])
    execution = lab.run(made, Names=["one", "two"])
    view = lab.ended(execution)
    assert view["AutomationExecutionStatus"] == "Success", view
    assert view["Outputs"]["first.me"] == [f"arn:aws:sts::123456789012:assumed-role/automation/Automation-{execution}"]
    assert view["Outputs"]["first.names"] == ["one", "two"]
    step = view["StepExecutions"][0]
    assert json.loads(step["Outputs"]["events"][0]) == {
        "names": ["one", "two"], "id": execution, "where": "in eu-central-1", "dry": False, "n": 3,
    }  # fmt: skip
    assert step["Outputs"]["timeout"] == ["3"]
    calls = [(row["action"], row["role"], row["step"], row["nth"], row["outcome"]) for row in lab.calls(execution)]
    assert calls == [("sts:GetCallerIdentity", ROLE, "first", 1, "ok"), ("lambda:GetFunction", ROLE, "first", 2, "ok")]


def test_a_script_without_a_role_has_no_credentials(lab: Lab) -> None:
    made = document(script("boto3.client('sts').get_caller_identity()"))
    del made["assumeRole"]
    view = lab.ended(lab.run(made))
    assert view["AutomationExecutionStatus"] == "Failed"
    assert "NoCredentialsError" in view["FailureMessage"]


def test_branch_api_wait_assert_and_end(lab: Lab) -> None:
    lab.function()
    choices = [
        {"NextStep": "never", "Variable": "{{ first.n }}", "NumericGreater": 5},
        {
            "NextStep": "update",
            "And": [
                {"Variable": "{{ first.n }}", "NumericEquals": 5},
                {"Not": {"Variable": "{{ first.s }}", "StringEquals": "y"}},
            ],
        },
    ]
    get = {"Service": "lambda", "Api": "get_function", "FunctionName": "one"}
    steps = [
        script("return {'n': 5, 's': 'x'}", outputs={"n": "Integer", "s": "String"}),
        {"name": "choose", "action": "aws:branch", "inputs": {"Choices": choices, "Default": "never"}},
        mark("never", "/never"),
        {"name": "update", "action": "aws:executeAwsApi", "inputs": {**get, "Api": "UpdateFunctionConfiguration", "Timeout": 9},
         "outputs": [{"Name": "revision", "Selector": "$.RevisionId", "Type": "String"}]},
        {"name": "wait", "action": "aws:waitForAwsResourceProperty",
         "inputs": {**get, "PropertySelector": "$.Configuration.LastUpdateStatus", "DesiredValues": ["Successful"]}},
        {"name": "assert", "action": "aws:assertAwsResourceProperty",
         "inputs": {**get, "PropertySelector": "$.Configuration.Timeout", "DesiredValues": ["9"]}, "nextStep": "last"},
        mark("skipped", "/skipped"),
        mark("last", "/last", isEnd=True),
        mark("after", "/after"),
    ]  # fmt: skip
    view = lab.ended(lab.run(document(*steps)))
    assert statuses(view) == {
        "first": "Success", "choose": "Success", "never": "Pending", "update": "Success", "wait": "Success", "assert": "Success",
        "skipped": "Pending", "last": "Success", "after": "Pending",
    }  # fmt: skip
    assert view["AutomationExecutionStatus"] == "Success"


@pytest.mark.parametrize(
    ("given", "status", "ran"),
    [
        ({}, "Failed", []),
        ({"onFailure": "Abort"}, "Failed", []),
        ({"onFailure": "Abort", "isCritical": False}, "Success", []),
        ({"onFailure": "Continue"}, "Success", ["next", "back"]),
        ({"onFailure": "Continue", "isCritical": True}, "Failed", ["next", "back"]),
        ({"onFailure": "step:back"}, "Failed", ["back"]),
        ({"onFailure": "step:back", "isCritical": False}, "Success", ["back"]),
        ({"onFailure": "step:back", "isEnd": True}, "Failed", []),
        ({"onFailure": "Continue", "nextStep": "back"}, "Success", ["next", "back"]),
    ],
)
def test_where_a_failure_leads(lab: Lab, given: dict[str, Any], status: str, ran: list[str]) -> None:
    made = document(script("raise ValueError('on purpose')", **given), mark("next", "/next"), mark("back", "/back"))
    view = lab.ended(lab.run(made))
    assert view["AutomationExecutionStatus"] == status
    found = statuses(view)
    assert found.pop("first") == "Failed"
    assert [name for name, state in found.items() if state == "Success"] == ran
    assert "ValueError - on purpose" in view["StepExecutions"][0]["FailureMessage"]


def test_tries_and_timeouts(lab: Lab) -> None:
    count = "p = boto3.client('ssm')\nn = p.put_parameter(Name='/n', Value='x', Type='String', Overwrite=True)['Version']\n"
    view = lab.ended(lab.run(document(script(count + "assert n >= 3, n\nreturn {}", maxAttempts=3)), "Tries"))
    assert view["AutomationExecutionStatus"] == "Success", view
    slow = script("import time\ntime.sleep(30)", timeoutSeconds=1, onFailure="step:back")
    view = lab.ended(lab.run(document(slow, mark("back", "/back")), "Slow"))
    assert statuses(view) == {"first": "TimedOut", "back": "Success"}
    assert view["AutomationExecutionStatus"] == "TimedOut"
    assert [row["abandoned"] for row in lab.ask("GET", "/scripts")["scripts"]] == [True], "nothing says that it dies"


def test_outputs_that_are_not_there_or_of_another_type(lab: Lab) -> None:
    wrong = document(script("return {'n': 'text'}", outputs={"n": "Integer"}))
    view = lab.ended(lab.run(wrong, "Wrong"))
    assert view["AutomationExecutionStatus"] == "Failed"
    assert "expected to be Integer" in view["FailureMessage"]
    use = mark("use", "/use")
    use["inputs"]["Value"] = "{{ first.n }}"
    missing = document(script("return {}", outputs={"n": "Integer"}), use, outputs=["first.n"])
    view = lab.ended(lab.run(missing, "Missing"))
    assert statuses(view) == {"first": "Success", "use": "Failed"}
    assert view["Outputs"]["first.n"] == ["No output available yet because the step is not successfully executed"]


def test_what_a_script_returns_is_limited(lab: Lab) -> None:
    assert "100 KB" in lab.ended(lab.run(document(script("return {'x': 'x' * 102400}")), "Big"))["FailureMessage"]
    assert "100 items" in lab.ended(lab.run(document(script("return {'x': list(range(101))}")), "Long"))["FailureMessage"]
    big = document(script("import time\nx = bytearray(600 << 20)\ntime.sleep(60)"))
    assert "512 MB" in lab.ended(lab.run(big, "Heavy"))["FailureMessage"]
    assert "ended with code 3" in lab.ended(lab.run(document(script("import os\nos._exit(3)")), "Exit"))["FailureMessage"]


def test_parameters_are_checked(lab: Lab) -> None:
    parameters = {
        "Name": {"type": "String", "allowedPattern": "^[a-z]+$"},
        "Kind": {"type": "String", "default": "a", "allowedValues": ["a", "b"]},
        "List": {"type": "StringList", "default": [], "maxItems": 2},
        "Dry": {"type": "Boolean", "default": False},
    }
    made = document(script("return events", payload={"n": "{{ Name }}"}), parameters=parameters)
    lab.ssm.create_document(Name="Doc", DocumentType="Automation", Content=json.dumps(made))
    given: list[tuple[dict[str, list[str]], str]] = [
        ({}, "InvalidAutomationExecutionParametersException"),
        ({"Name": ["UPPER"]}, "InvalidAutomationExecutionParametersException"),
        ({"Name": ["a", "b"]}, "InvalidAutomationExecutionParametersException"),
        ({"Name": ["a"], "Kind": ["c"]}, "InvalidAutomationExecutionParametersException"),
        ({"Name": ["a"], "List": ["a", "b", "c"]}, "InvalidAutomationExecutionParametersException"),
        ({"Name": ["a"], "Dry": ["maybe"]}, "InvalidAutomationExecutionParametersException"),
        ({"Name": ["a"], "Other": ["a"]}, "InvalidAutomationExecutionParametersException"),
        ({"Name": ["a" * 513]}, "ValidationException"),
        ({"Name": ["a"], "List": ["a"] * 51}, "ValidationException"),
    ]
    for wrong, code in given:
        assert refused(lambda wrong=wrong: lab.start("Doc", **wrong))[0] == code, wrong  # type: ignore[misc]
    assert refused(lambda: lab.start("None"))[0] == "AutomationDefinitionNotFoundException"
    assert lab.ended(lab.start("Doc", Name=["a" * 512]))["AutomationExecutionStatus"] == "Success"


def test_a_client_token_starts_once(lab: Lab) -> None:
    lab.ssm.create_document(Name="Doc", DocumentType="Automation", Content=json.dumps(document(sleep("s", "PT1S"))))
    first = lab.ssm.start_automation_execution(DocumentName="Doc", ClientToken=ID)
    assert (
        lab.ssm.start_automation_execution(DocumentName="Doc", ClientToken=ID)["AutomationExecutionId"]
        == first["AutomationExecutionId"]
    )
    role = {"AutomationAssumeRole": [ROLE]}
    assert (
        refused(lambda: lab.ssm.start_automation_execution(DocumentName="Doc", ClientToken=ID, Parameters=role))[0]
        == "IdempotentParameterMismatch"
    )
    assert (
        refused(lambda: lab.ssm.start_automation_execution(DocumentName="Doc", ClientToken="no-uuid" * 6))[0]
        == "ValidationException"
    )
    found = lab.ssm.describe_automation_executions(Filters=[{"Key": "DocumentNamePrefix", "Values": ["Do"]}])
    assert len(found["AutomationExecutionMetadataList"]) == 1


def test_a_cancelled_execution_follows_on_cancel_and_its_script_runs_on(lab: Lab) -> None:
    lab.function()
    body = "boto3.client('lambda').get_function(FunctionName='one')\nboto3.client('ssm').put_parameter(Name='/late', Value='x', Type='String')"
    lab.hook(["cancel", "hang"], operation="GetFunction")
    made = document(script(body, onCancel="step:back"), mark("next", "/next"), mark("back", "/back", isEnd=True))
    view = lab.ended(lab.run(made))
    assert view["AutomationExecutionStatus"] == "Cancelled"
    assert statuses(view) == {"first": "Cancelled", "next": "Pending", "back": "Success"}
    assert lab.ask("GET", "/hooks")["hooks"][0]["hanging"] == 1
    assert refused(lambda: lab.ssm.get_parameter(Name="/late"))[0] == "ParameterNotFound"
    assert lab.ask("POST", "/hooks/release", {}) == {"released": 1}
    until(lambda: lab.ask("GET", "/scripts")["scripts"], lambda rows: not rows)
    assert lab.ssm.get_parameter(Name="/late")["Parameter"]["Value"] == "x"
    assert [row["operation"] for row in lab.calls(view["AutomationExecutionId"])] == [
        "PutParameter",
        "GetFunction",
        "PutParameter",
    ]
    assert refused(lambda: lab.ssm.stop_automation_execution(AutomationExecutionId=view["AutomationExecutionId"]))[0] == (
        "InvalidAutomationStatusUpdateException"
    )


def test_the_workflow_of_a_cancelled_execution_is_cut_off_at_its_limit(lab: Lab) -> None:
    lab.settings(speed=1, cancel_limit_s=0.5)
    forever = {
        "Service": "ssm",
        "Api": "GetParameters",
        "Names": ["/none"],
        "PropertySelector": "$.InvalidParameters[0]",
        "DesiredValues": ["x"],
    }
    made = document(
        sleep("hold", "PT1H", onCancel="step:back"),
        {"name": "back", "action": "aws:waitForAwsResourceProperty", "inputs": forever},
        mark("after", "/after"),
    )
    execution = lab.run(made)
    until(lambda: statuses(lab.execution(execution)), lambda found: found["hold"] == "InProgress")
    lab.ssm.stop_automation_execution(AutomationExecutionId=execution)
    view = lab.ended(execution)
    assert view["AutomationExecutionStatus"] == "Cancelled"
    assert statuses(view) == {"hold": "Cancelled", "back": "TimedOut", "after": "Pending"}


def test_cancel_without_a_workflow_and_complete(lab: Lab) -> None:
    lab.settings(speed=1)
    plain = lab.run(document(sleep("hold", "PT1H"), mark("after", "/after")), "Plain")
    lab.ssm.stop_automation_execution(AutomationExecutionId=plain, Type="Cancel")
    view = lab.ended(plain)
    assert (view["AutomationExecutionStatus"], statuses(view)["after"]) == ("Cancelled", "Pending")
    done = lab.run(document(sleep("hold", "PT0.3S"), mark("after", "/after")), "Done")
    lab.ssm.stop_automation_execution(AutomationExecutionId=done, Type="Complete")
    view = lab.ended(done)
    assert (view["AutomationExecutionStatus"], statuses(view)) == ("Success", {"hold": "Success", "after": "Pending"})


def test_speed_is_for_sleeping_steps(lab: Lab) -> None:
    lab.settings(speed=36_000)
    assert lab.ended(lab.run(document(sleep("hold", "PT1H"))))["AutomationExecutionStatus"] == "Success"


@pytest.mark.parametrize(
    ("do", "effect", "status"),
    [
        ("fail", False, "Failed"),
        ("fail_after", True, "Failed"),
        ("throttle", False, "Failed"),
        ("drop", False, "Failed"),
        ("drop_after", True, "Failed"),
        ("kill", False, "Failed"),
        ("kill_after", True, "Failed"),
        ("cancel", True, "Cancelled"),
        ("cancel_after", True, "Cancelled"),
    ],
)
def test_hooks_at_one_call(lab: Lab, do: str, effect: bool, status: str) -> None:
    lab.function()
    body = (
        "from botocore.config import Config\nonce = boto3.client('lambda', config=Config(retries={'total_max_attempts': 1}))\n"
        "once.update_function_configuration(FunctionName='one', Timeout=9)\nreturn {}"
    )
    lab.hook(do, document="Document", operation="UpdateFunctionConfiguration")
    execution = lab.run(document(script(body)))
    assert lab.ended(execution)["AutomationExecutionStatus"] == status
    until(lambda: lab.ask("GET", "/scripts")["scripts"], lambda rows: not rows)
    assert lab.settled()["Timeout"] == (9 if effect else 3)
    (row,) = lab.calls(execution)
    assert row["hook"] is not None
    assert row["outcome"] == {
        "fail": "ServiceException", "fail_after": "ServiceException", "throttle": "TooManyRequestsException",
        "cancel": "ok", "cancel_after": "ok",
    }.get(do, "dropped")  # fmt: skip


def test_a_call_on_the_wire_takes_effect_after_its_client_has_gone(lab: Lab) -> None:
    lab.function()
    lab.hook("hang", operation="UpdateFunctionConfiguration")
    body = "boto3.client('lambda').update_function_configuration(FunctionName='one', Timeout=9)"
    execution = lab.run(document(script(body)))
    until(lambda: lab.ask("GET", "/hooks")["hooks"][0]["hanging"], lambda hanging: hanging == 1)
    lab.hook("kill", operation="GetFunction", caller="any")
    (running,) = lab.ask("GET", "/scripts")["scripts"]
    import os
    import signal

    os.kill(running["pid"], signal.SIGKILL)
    assert lab.ended(execution)["AutomationExecutionStatus"] == "Failed"
    lab.ask("DELETE", "/hooks")
    until(lambda: lab.settled()["Timeout"], lambda timeout: timeout == 9)


def test_a_real_function_is_invoked_by_a_step(lab: Lab) -> None:
    lab.function(Code={"ZipFile": archive(app="def handler(e, c):\n    return {'n': e['n'] + 1}\n")})
    invoke = {"Service": "lambda", "Api": "Invoke", "FunctionName": "one", "Payload": '{"n": 1}'}
    step = {
        "name": "call",
        "action": "aws:executeAwsApi",
        "inputs": invoke,
        "outputs": [{"Name": "p", "Selector": "$.Payload", "Type": "String"}],
    }
    view = lab.ended(lab.run(document(step, outputs=["call.p"])))
    assert json.loads(view["Outputs"]["call.p"][0]) == {"n": 2}


def test_start_is_throttled_at_one_a_second(lab: Lab) -> None:
    lab.ssm.create_document(Name="Doc", DocumentType="Automation", Content=json.dumps(document(sleep("s", "PT1S"))))
    lab.settings(rates=0.1)
    lab.start("Doc")
    assert refused(lambda: lab.start("Doc"))[:2] == ("ThrottlingException", 400)
    lab.settings(rates=1)
    assert lab.client("ssm", 8).start_automation_execution(DocumentName="Doc")["AutomationExecutionId"]


def test_a_reset_leaves_nothing_behind(lab: Lab) -> None:
    lab.hook("hang", operation="PutParameter")
    lab.run(document(script("boto3.client('ssm').put_parameter(Name='/late', Value='x', Type='String')")))
    until(lambda: lab.ask("GET", "/hooks")["hooks"][0]["hanging"], lambda hanging: hanging == 1)
    lab.ask("POST", "/reset")
    assert lab.ask("GET", "/scripts")["scripts"] == []
    assert lab.ask("GET", "/calls")["calls"] == []
    assert lab.ssm.describe_parameters()["Parameters"] == []
    assert lab.ssm.describe_automation_executions()["AutomationExecutionMetadataList"] == []


def test_scripts_are_processes_that_share_nothing_and_come_again_where_the_one_they_come_from_is_gone(lab: Lab) -> None:
    body = (
        "import os, random, sys\n"
        "found = [os.environ.get('MARK'), getattr(boto3, 'mark', None), sys.modules.get('marked')]\n"
        "os.environ['MARK'] = boto3.mark = 'left'\n"
        "sys.modules['marked'] = sys\n"
        "leads = os.getpgrp() == os.getpid()\n"
        "return {'found': found, 'leads': leads, 'parent': os.getppid(), 'drawn': str(random.random()), 'pid': os.getpid()}"
    )
    lab.run(document(script(body)), "Marks")

    def run() -> dict[str, Any]:
        view = lab.ended(lab.start("Marks"))
        payload: dict[str, Any] = json.loads(view["StepExecutions"][0]["Outputs"]["OutputPayload"][0])["Payload"]
        return payload

    first, second = run(), run()
    os.kill(first["parent"], signal.SIGKILL)
    third = run()
    runs = [first, second, third]
    assert [one["found"] for one in runs] == [[None, None, None]] * 3
    assert all(one["leads"] for one in runs)
    assert first["parent"] == second["parent"] != third["parent"]
    assert all(len({one[name] for one in runs}) == 3 for name in ("drawn", "pid"))
