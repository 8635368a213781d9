"""CloudWatch Logs: groups, streams and events, with boto3 and the AWS command line; and what functions write."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from client import Lab, archive, refused, until
from test_cli import aws
from test_losses import fill
from test_losses import small_disk as small_disk

GROUP, STREAM = "/a/group", "2026/11/26/[$LATEST]one"
ARN = "arn:aws:logs:eu-central-1:123456789012:log-group:/a/group"
AT = {"logGroupName": GROUP, "logStreamName": STREAM}


def now() -> int:
    return int(time.time() * 1000)


@pytest.fixture
def logs(lab: Lab) -> Any:
    client = lab.client("logs")
    client.create_log_group(logGroupName=GROUP, tags={"team": "a"})
    client.create_log_stream(**AT)
    return client


def put(logs: Any, *messages: str, first: int | None = None, **at: str) -> Any:
    """Messages, a millisecond apart."""
    start = now() - 60_000 if first is None else first
    events = [{"timestamp": start + number, "message": message} for number, message in enumerate(messages)]
    return logs.put_log_events(**{**AT, **at}, logEvents=events)


def messages(answer: Any) -> list[str]:
    return [event["message"] for event in answer["events"]]


def test_groups_have_tags_and_retention_and_go_with_all_that_is_in_them(lab: Lab, logs: Any) -> None:
    again = refused(lambda: logs.create_log_group(logGroupName=GROUP))
    assert again == ("ResourceAlreadyExistsException", 400, "The specified log group already exists")
    logs.tag_resource(resourceArn=ARN, tags={"more": "b"})
    logs.untag_resource(resourceArn=ARN, tagKeys=["team"])
    assert logs.list_tags_for_resource(resourceArn=ARN)["tags"] == {"more": "b"}
    found = lab.client("resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": "more"}])["ResourceTagMappingList"]
    assert [row["ResourceARN"] for row in found] == [ARN]
    logs.put_retention_policy(logGroupName=GROUP, retentionInDays=30)
    [group] = logs.describe_log_groups(logGroupNamePrefix="/a/")["logGroups"]
    assert (group["arn"], group["logGroupArn"], group["retentionInDays"]) == (f"{ARN}:*", ARN, 30)
    assert refused(lambda: logs.put_retention_policy(logGroupName=GROUP, retentionInDays=2))[0] == "InvalidParameterException"
    logs.delete_retention_policy(logGroupName=GROUP)
    assert "retentionInDays" not in logs.describe_log_groups(logGroupNamePattern="GROUP")["logGroups"][0]
    logs.delete_log_group(logGroupName=GROUP)
    for gone in (
        lambda: logs.delete_log_group(logGroupName=GROUP),
        lambda: logs.create_log_stream(**AT),
        lambda: logs.filter_log_events(logGroupName=GROUP),
        lambda: put(logs, "x"),
    ):
        assert refused(gone) == ("ResourceNotFoundException", 400, "The specified log group does not exist.")
    logs.create_log_group(logGroupName=GROUP)
    assert logs.describe_log_streams(logGroupName=GROUP)["logStreams"] == []


def test_streams_are_listed_by_name_or_by_their_last_event(logs: Any) -> None:
    for name, age in (("b", 5000), ("a", 9000)):
        logs.create_log_stream(logGroupName=GROUP, logStreamName=name)
        put(logs, "x", first=now() - age, logStreamName=name)
    put(logs, "one", "two")

    def names(**more: Any) -> list[str]:
        pages = logs.get_paginator("describe_log_streams").paginate(logGroupName=GROUP, PaginationConfig={"PageSize": 2}, **more)
        return [stream["logStreamName"] for page in pages for stream in page["logStreams"]]

    assert names() == [STREAM, "a", "b"]
    assert names(orderBy="LastEventTime", descending=True) == ["b", "a", STREAM]
    assert names(logStreamNamePrefix="a") == ["a"]
    [stream] = logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix="2026")["logStreams"]
    assert stream["lastEventTimestamp"] - stream["firstEventTimestamp"] == 1
    assert refused(lambda: logs.create_log_stream(**AT))[0] == "ResourceAlreadyExistsException"
    logs.delete_log_stream(logGroupName=GROUP, logStreamName="a")
    missing = refused(lambda: logs.get_log_events(logGroupName=GROUP, logStreamName="a"))
    assert missing == ("ResourceNotFoundException", 400, "The specified log stream does not exist.")


def test_events_are_read_from_the_head_and_from_the_tail_page_by_page(logs: Any) -> None:
    put(logs, *[str(number) for number in range(10)])
    assert messages(logs.get_log_events(**AT, limit=3)) == ["7", "8", "9"], "the latest, unless asked otherwise"
    seen, token = [], None
    while True:
        more = {"nextToken": token} if token else {"startFromHead": True}
        page = logs.get_log_events(**AT, limit=4, **more)
        if page["nextForwardToken"] == token:
            break
        seen += messages(page)
        token = page["nextForwardToken"]
    assert seen == [str(number) for number in range(10)]
    put(logs, "late", first=now())
    assert messages(logs.get_log_events(**AT, nextToken=token)) == ["late"], "the token goes on with what comes"
    assert messages(logs.get_log_events(**AT, limit=4, nextToken=page["nextBackwardToken"])) == ["5", "6", "7", "8"]
    start = logs.get_log_events(**AT, startFromHead=True)["events"][2]["timestamp"]
    assert messages(logs.get_log_events(**AT, startTime=start, endTime=start + 2)) == ["2", "3"], "the end is not included"
    assert refused(lambda: logs.get_log_events(**AT, nextToken="x"))[0] == "InvalidParameterException"


def test_what_is_filtered_is_one_list_of_all_streams(logs: Any) -> None:
    start = now() - 60_000
    logs.create_log_stream(logGroupName=GROUP, logStreamName="b")
    put(logs, "ERROR one", "fine", "ERROR two words", first=start)
    put(logs, '{"level": "ERROR", "n": 3}', "ERROR three", first=start + 1, logStreamName="b")

    def found(pattern: str = "", **more: Any) -> list[str]:
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=GROUP, filterPattern=pattern, PaginationConfig={"PageSize": 2}, **more
        )
        return [event["message"] for page in pages for event in page["events"]]

    everything = ["ERROR one", "fine", '{"level": "ERROR", "n": 3}', "ERROR two words", "ERROR three"]
    assert found() == everything
    assert found("ERROR") == [text for text in everything if "ERROR" in text]
    assert found('"two words"') == ["ERROR two words"]
    assert found('{ $.level = "ERROR" && $.n > 2 }') == ['{"level": "ERROR", "n": 3}']
    assert found("ERROR", logStreamNames=["b"]) == ['{"level": "ERROR", "n": 3}', "ERROR three"]
    assert found(logStreamNamePrefix="2026", startTime=start + 1, endTime=start + 1) == ["fine"], "the end is included"
    by_arn = logs.filter_log_events(logGroupIdentifier=ARN, interleaved=True)["events"]
    assert len({event["eventId"] for event in by_arn}) == 5
    assert {event["logStreamName"] for event in by_arn} == {STREAM, "b"}
    for bad in ("[a, b]", "%x%", "{ $.a IS NULL }"):
        code, _, message = refused(lambda bad=bad: logs.filter_log_events(logGroupName=GROUP, filterPattern=bad))  # type: ignore[misc]
        assert (code, "does not serve" in message or "not `" in message) == ("InvalidParameterException", True)


def test_a_batch_is_taken_as_a_whole_or_refused_and_what_is_too_old_or_new_is_left_out(logs: Any) -> None:
    def send(*pairs: tuple[int, str]) -> Any:
        return logs.put_log_events(**AT, logEvents=[{"timestamp": at, "message": text} for at, text in pairs])

    moment, day = now(), 86_400_000
    order = refused(lambda: send((moment, "b"), (moment - 1, "a")))
    assert (order[0], "chronological" in order[2]) == ("InvalidParameterException", True)
    assert "24 hours" in refused(lambda: send((moment - day - 1, "a"), (moment, "b")))[2]
    assert "Upload too large" in refused(lambda: send((moment, "x" * (1 << 20))))[2]
    assert send((moment - 15 * day, "old"))["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}
    assert send((moment, "kept"), (moment + 3 * 3_600_000, "new"))["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 1}
    assert messages(logs.get_log_events(**AT)) == ["kept"]
    send((moment - 4 * day, "expires"))
    logs.put_retention_policy(logGroupName=GROUP, retentionInDays=3)
    assert messages(logs.filter_log_events(logGroupName=GROUP)) == ["kept"]
    assert send((moment - 4 * day, "expired"))["rejectedLogEventsInfo"] == {"expiredLogEventEndIndex": 1}


def test_resource_policies_are_kept(logs: Any) -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": []})
    logs.put_resource_policy(policyName="p", policyDocument=document)
    [policy] = logs.describe_resource_policies()["resourcePolicies"]
    assert (policy["policyName"], policy["policyDocument"]) == ("p", document)
    assert refused(lambda: logs.put_resource_policy(policyName="p", policyDocument="{"))[0] == "InvalidParameterException"
    logs.delete_resource_policy(policyName="p")
    assert refused(lambda: logs.delete_resource_policy(policyName="p"))[0] == "ResourceNotFoundException"


def test_events_are_there_again_after_a_kill_and_a_full_disk_refuses_them(labs: list[Lab], small_disk: Path) -> None:
    lab = Lab(small_disk / "state")
    labs.append(lab)
    logs = lab.client("logs")
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(**AT)
    put(logs, "one", "two")
    before = logs.filter_log_events(logGroupName=GROUP)["events"]
    ballast = fill(small_disk)
    assert refused(lambda: put(logs, "x" * 100_000))[1] == 500
    assert logs.filter_log_events(logGroupName=GROUP)["events"] == before
    lab.kill()
    ballast.unlink()
    again = Lab(small_disk / "state")
    labs.append(again)
    logs = again.client("logs")
    assert logs.filter_log_events(logGroupName=GROUP)["events"] == before
    put(logs, "three", first=now())
    assert messages(logs.get_log_events(**AT)) == ["one", "two", "three"]
    again.kill()


def test_what_a_function_writes_is_in_its_group_as_on_lambda(lab: Lab) -> None:
    code = archive(app="def handler(event, context):\n    print('hello', event['n'])\n    return context.log_stream_name\n")
    lab.function(Code={"ZipFile": code})
    streams = [json.load(lab.functions.invoke(FunctionName="one", Payload=f'{{"n": {n}}}')["Payload"]) for n in (1, 2)]
    assert streams[0] == streams[1], "one environment, one stream"
    logs = lab.client("logs")
    [found] = logs.describe_log_streams(logGroupName="/aws/lambda/one")["logStreams"]
    assert found["logStreamName"] == streams[0]
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", streams[0])
    lines = messages(logs.get_log_events(logGroupName="/aws/lambda/one", logStreamName=streams[0], startFromHead=True))
    assert [line.split()[0] for line in lines] == [
        "INIT_START",
        "START",
        "hello",
        "END",
        "REPORT",
        "START",
        "hello",
        "END",
        "REPORT",
    ]
    assert lines[2] == "hello 1\n", "the end of a line belongs to it"
    writers = {row["caller"] for row in lab.ask("GET", "/calls")["calls"] if row["operation"] == "PutLogEvents"}
    assert writers == {"arn:aws:sts::123456789012:assumed-role/r/one"}


def test_a_function_logs_where_its_configuration_says_also_when_nobody_waits_or_it_fails(lab: Lab) -> None:
    code = archive(app="import os\ndef handler(event, context):\n    print(os.environ['AWS_LAMBDA_LOG_GROUP_NAME'])\n    1 / 0\n")
    lab.function(Code={"ZipFile": code}, LoggingConfig={"LogGroup": "/custom"})
    lab.functions.invoke(FunctionName="one", InvocationType="Event")
    logs = lab.client("logs")

    def lines() -> list[str]:
        groups = logs.describe_log_groups(logGroupNamePrefix="/custom")["logGroups"]
        return messages(logs.filter_log_events(logGroupName="/custom")) if groups else []

    found = until(lines, lambda lines: any(line.startswith("REPORT") for line in lines))
    assert "/custom\n" in found
    assert any("ZeroDivisionError" in line for line in found)
    # A group that is deleted while the environment is warm comes back.
    logs.delete_log_group(logGroupName="/custom")
    tail = lab.functions.invoke(FunctionName="one", LogType="Tail")
    assert "LogResult" in tail
    assert "/custom\n" in lines()


def test_a_function_that_may_not_write_logs_runs_all_the_same(lab: Lab) -> None:
    lab.function()
    denied = {"code": "AccessDeniedException", "status": 400, "message": "no"}
    lab.hook("fail", operation="CreateLogGroup", times=0, caller="any", error=denied)
    assert json.load(lab.functions.invoke(FunctionName="one", Payload=b"1")["Payload"]) == 1
    # What it has to say may be written after its answer.
    until(lambda: lab.ask("GET", "/hooks")["hooks"][0]["fired"], lambda fired: fired > 0)
    assert lab.client("logs").describe_log_groups()["logGroups"] == []


def test_what_a_function_of_before_a_reset_writes_is_in_no_log_of_after_it(lab: Lab) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        address = server.getsockname()
        code = f"""
import socket
def handler(event, context):
    with socket.create_connection({address!r}) as test:
        test.recv(1)
"""
        lab.function(Code={"ZipFile": archive(app=code)}, Timeout=60)
        lab.functions.invoke(FunctionName="one", InvocationType="Event")
        function, _ = server.accept()
        with function:
            lab.ask("POST", "/reset")
            function.sendall(b"1")
            assert function.recv(1) == b"", "it has returned"
    # What is written late is written within this time; how long nothing is, nobody can wait for.
    time.sleep(0.5)
    assert lab.client("logs").describe_log_groups()["logGroups"] == []


def test_the_command_line_reads_logs(lab: Lab, logs: Any) -> None:
    put(logs, "one ERROR", "two")
    found = aws(
        lab, "logs", "filter-log-events", "--log-group-name", GROUP, "--filter-pattern", "ERROR", "--query", "events[].message"
    )
    assert found == ["one ERROR"]
    assert aws(lab, "logs", "describe-log-groups", "--query", "logGroups[].logGroupName") == [GROUP]
    shown = aws(lab, "logs", "get-log-events", "--log-group-name", GROUP, "--log-stream-name", STREAM, "--start-from-head")
    assert messages(shown) == ["one ERROR", "two"]


def test_the_command_lines_second_version_tails_logs(lab: Lab, logs: Any) -> None:
    found = shutil.which("aws")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout if found else ""
    if found is None or not version.startswith("aws-cli/2"):
        pytest.skip("`aws logs tail` needs version 2 of the AWS CLI on the path")
    put(logs, "one ERROR", "two")
    environment = {
        **os.environ, "AWS_DEFAULT_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "lab", "AWS_SECRET_ACCESS_KEY": "lab", "AWS_PAGER": "",
    }  # fmt: skip
    asked = ["logs", "tail", GROUP, "--since", "1h", "--format", "short"]
    for more, expected in (([], ["one ERROR", "two"]), (["--filter-pattern", "ERROR"], ["one ERROR"])):
        done = subprocess.run(
            [found, "--endpoint-url", lab.url, *asked, *more], capture_output=True, text=True, env=environment, check=False
        )
        assert [line.split(" ", 1)[1] for line in done.stdout.splitlines()] == expected, done.stderr
