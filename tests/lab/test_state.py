"""State survives: a kill of the lab loses no function and no execution."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError

from client import Lab, archive, command, statuses, until
from documents import document, mark, script, sleep


def begin(labs: list[Lab], state: Path, *arguments: str) -> Lab:
    lab = Lab(state, *arguments)
    labs.append(lab)
    lab.settings(update_ms=20, rates=0, poll_ms=20)
    return lab


def test_everything_is_there_again_after_a_kill(labs: list[Lab], tmp_path: Path) -> None:
    lab = begin(labs, tmp_path)
    layer = lab.layer(python__thing="x = 41\n")
    code = archive(app="import thing\ndef handler(e, c):\n    return thing.x + 1\n")
    before = lab.function(Layers=[layer], Environment={"Variables": {"AA": "1"}}, Tags={"a": "b"}, Code={"ZipFile": code})
    lab.functions.publish_version(FunctionName="one")
    lab.functions.create_alias(FunctionName="one", Name="live", FunctionVersion="1")
    lab.ssm.put_parameter(Name="/a/b.c", Value="v", Type="String")
    execution = lab.run(document(script("return {'x': 1}", outputs={"x": "Integer"}), outputs=["first.x"]))
    view = lab.ended(execution)
    lab.kill()
    lab = begin(labs, tmp_path)
    assert lab.settled() == before
    assert json.load(lab.functions.invoke(FunctionName="one:live")["Payload"]) == 42
    assert lab.functions.list_tags(Resource=before["FunctionArn"])["Tags"] == {"a": "b"}
    assert lab.ssm.get_parameter(Name="/a/b.c")["Parameter"]["Value"] == "v"
    assert lab.execution(execution) == view
    assert lab.ask("GET", "/calls?since=1")["calls"][0]["seq"] == 1


def test_an_update_in_progress_at_a_kill_ends(labs: list[Lab], tmp_path: Path) -> None:
    lab = begin(labs, tmp_path)
    lab.function()
    lab.settings(update_ms=300)
    lab.functions.update_function_configuration(FunctionName="one", Timeout=9)
    lab.kill()
    lab = begin(labs, tmp_path)
    assert (lab.settled()["Timeout"], lab.settled()["LastUpdateStatus"]) == (9, "Successful")


def test_a_script_that_was_cut_off_by_a_kill_leads_to_the_roll_back(labs: list[Lab], tmp_path: Path) -> None:
    lab = begin(labs, tmp_path)
    lab.function()
    lab.hook("hang", operation="GetFunction")
    body = "boto3.client('lambda').get_function(FunctionName='one')"
    execution = lab.run(document(script(body, onFailure="step:back"), mark("next", "/next"), mark("back", "/back")))
    (running,) = until(lambda: lab.ask("GET", "/scripts")["scripts"], lambda rows: len(rows) == 1)
    until(lambda: lab.ask("GET", "/hooks")["hooks"][0]["hanging"], lambda hanging: hanging == 1)
    lab.kill()
    os.kill(running["pid"], 9)
    lab = begin(labs, tmp_path)
    view = lab.ended(execution)
    assert view["AutomationExecutionStatus"] == "Failed"
    assert statuses(view) == {"first": "Failed", "next": "Pending", "back": "Success"}


def test_a_sleeping_execution_sleeps_on_and_a_cancelled_one_goes_on_cancelling(labs: list[Lab], tmp_path: Path) -> None:
    lab = begin(labs, tmp_path)
    short = lab.run(document(sleep("hold", "PT2S"), mark("after", "/after")), "Short")
    wait = {
        "Service": "ssm",
        "Api": "GetParameters",
        "Names": ["/go"],
        "PropertySelector": "$.Parameters[0].Value",
        "DesiredValues": ["x"],
    }
    long = lab.run(
        document(
            sleep("hold", "PT1H", onCancel="step:wait"),
            {"name": "wait", "action": "aws:waitForAwsResourceProperty", "inputs": wait},
        ),
        "Long",
    )
    until(lambda: statuses(lab.execution(long))["hold"], lambda status: status == "InProgress")
    lab.ssm.stop_automation_execution(AutomationExecutionId=long)
    until(lambda: statuses(lab.execution(long))["wait"], lambda status: status == "InProgress")
    lab.kill()
    lab = begin(labs, tmp_path)
    assert lab.execution(long)["AutomationExecutionStatus"] == "Cancelling"
    lab.ssm.put_parameter(Name="/go", Value="x", Type="String")
    view = lab.ended(long)
    assert (view["AutomationExecutionStatus"], statuses(view)) == ("Cancelled", {"hold": "Cancelled", "wait": "Success"})
    view = lab.ended(short)
    assert (view["AutomationExecutionStatus"], statuses(view)) == ("Success", {"hold": "Success", "after": "Success"})


def test_one_folder_has_one_lab_and_json_is_one_line(labs: list[Lab], tmp_path: Path) -> None:
    lab = begin(labs, tmp_path, "--json", "--speed", "5")
    about = json.loads(lab.first_line)
    assert about["endpoint"] == lab.url
    assert (about["account"], about["region"], about["state"]) == ("123456789012", "eu-central-1", str(tmp_path))
    assert lab.ask("GET", "/settings")["speed"] == 5
    second = subprocess.run([command(), "lab", "--state", str(tmp_path)], capture_output=True, text=True, check=False)
    assert second.returncode == 2
    assert "is in use by another lab" in second.stderr


def test_what_was_answered_before_a_kill_is_never_lost(labs: list[Lab], tmp_path: Path) -> None:
    known: dict[str, int] = {}
    for round_ in range(4):
        lab = begin(labs, tmp_path)
        lab.settings(update_ms=0)
        for name, timeout in known.items():
            assert lab.settled(name)["Timeout"] in (timeout, timeout + 1), "at most the write that was cut off came after"
        names = [f"f{round_}{number}" for number in range(3)]
        stop = threading.Event()

        def work(name: str, lab: Lab = lab, stop: threading.Event = stop) -> None:
            try:
                lab.function(name, Timeout=1)
                known[name] = 1
                for timeout in itertools.count(2):
                    lab.functions.update_function_configuration(FunctionName=name, Timeout=timeout)
                    known[name] = timeout
                    lab.settled(name)
                    if timeout > 20:
                        stop.set()
            except (BotoCoreError, OSError):
                return

        threads = [threading.Thread(target=work, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        assert stop.wait(60)
        lab.kill()
        for thread in threads:
            thread.join()
        assert set(names) <= set(known)


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://example.com"}, {"Sec-Fetch-Site": "cross-site"}, {"Host": "example.com"}]
)
def test_web_pages_are_not_answered(lab: Lab, headers: dict[str, str]) -> None:
    for path in ("/_lab/reset", "/2015-03-31/functions"):
        request = urllib.request.Request(lab.url + path, method="POST", data=b"{}", headers=headers)
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request)
        assert caught.value.code == 403
