"""Invoke: real code, with the configuration of the last finished update."""

from __future__ import annotations

import base64
import json
import socket
import threading
from typing import Any

from client import Lab, archive, refused


def payload(answer: Any) -> Any:
    return json.load(answer["Payload"])


def test_an_invocation_runs_the_code_with_its_layers_and_shows_its_log(lab: Lab) -> None:
    layer = lab.layer(python__thing="x = 41\n")
    code = "import thing\nprint('at import')\ndef handler(event, context):\n    print('in handler', context.aws_request_id)\n    return event['n'] + thing.x\n"
    lab.function(Layers=[layer], Code={"ZipFile": archive(app=code)})
    answer = lab.functions.invoke(FunctionName="one", Payload=b'{"n": 1}', LogType="Tail")
    assert payload(answer) == 42
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert "in handler" in base64.b64decode(answer["LogResult"]).decode()
    failing = lab.functions.invoke(FunctionName="one", Payload=b"{}")
    assert failing["FunctionError"] == "Unhandled"
    assert payload(failing)["errorType"] == "KeyError"
    assert refused(lambda: lab.functions.invoke(FunctionName="one", Payload=b"{"))[0] == "InvalidRequestContentException"
    assert lab.functions.invoke(FunctionName="one", InvocationType="DryRun")["StatusCode"] == 204


def test_what_is_in_flight_keeps_the_old_configuration_and_an_update_in_progress_is_not_seen(lab: Lab) -> None:
    code = (
        "import os, socket\ndef handler(event, context):\n    if 'gate' in event:\n"
        "        socket.create_connection(('127.0.0.1', event['gate'])).recv(1)\n    return os.environ['WHICH']\n"
    )
    lab.function(Environment={"Variables": {"WHICH": "old"}}, Timeout=60, Code={"ZipFile": archive(app=code)})
    assert payload(lab.functions.invoke(FunctionName="one")) == "old"
    seen: list[Any] = []
    with socket.create_server(("127.0.0.1", 0)) as gate:
        slow = json.dumps({"gate": gate.getsockname()[1]}).encode()
        thread = threading.Thread(target=lambda: seen.append(payload(lab.functions.invoke(FunctionName="one", Payload=slow))))
        thread.start()
        waiting, _ = gate.accept()
        lab.ask("POST", "/functions/one", {"hold_update": True})
        lab.functions.update_function_configuration(FunctionName="one", Environment={"Variables": {"WHICH": "new"}})
        assert payload(lab.functions.invoke(FunctionName="one")) == "old"
        lab.ask("POST", "/functions/one", {"hold_update": False})
        lab.settled()
        assert payload(lab.functions.invoke(FunctionName="one")) == "new"
        assert not seen
        waiting.close()
        thread.join()
    assert seen == ["old"]


def test_an_asynchronous_call_is_tried_again_with_the_same_request_id(lab: Lab) -> None:
    lab.settings(speed=6000)
    code = (
        "import socket\ndef handler(event, context):\n    with socket.create_connection(('127.0.0.1', event['port'])) as to:\n"
        "        to.sendall(context.aws_request_id.encode())\n    raise ValueError('no')\n"
    )
    lab.function(Code={"ZipFile": archive(app=code)})
    with socket.create_server(("127.0.0.1", 0)) as server:
        event = json.dumps({"port": server.getsockname()[1]}).encode()
        answer = lab.functions.invoke(FunctionName="one", InvocationType="Event", Payload=event)
        assert answer["StatusCode"] == 202
        ids = [server.accept()[0].makefile().read() for _ in range(3)]
    assert len(set(ids)) == 1
    assert ids[0]


def test_many_at_once_share_the_environments_of_one_function(lab: Lab) -> None:
    lab.function(Code={"ZipFile": archive(app="import os\ndef handler(event, context):\n    return os.getpid()\n")}, Timeout=60)
    seen: list[Any] = []
    threads = [threading.Thread(target=lambda: seen.append(payload(lab.functions.invoke(FunctionName="one")))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 6
    assert payload(lab.functions.invoke(FunctionName="one"))
    for number in range(30):
        lab.function(f"more{number}")
        assert payload(lab.functions.invoke(FunctionName=f"more{number}", Payload=b"1")) == 1
    assert payload(lab.functions.invoke(FunctionName="one"))
