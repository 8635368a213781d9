"""The Runtime API itself, met by a client of a few lines that takes the place of the runtime's own."""

from __future__ import annotations

import json
import os
import sys

from function import Function, answers, outcomes

# As a wrapper script this runs instead of the runtime that it should start.
CLIENT = f"""\
    #!{os.path.realpath(sys.executable)}
    import base64, json, os, socket, sys
    from http.client import HTTPConnection

    address = os.environ["AWS_LAMBDA_RUNTIME_API"]
    base = "/2018-06-01/runtime/invocation/"

    def ask(method, path, body=None, headers={{}}):
        connection = HTTPConnection(address)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def stream(request_id, chunks, trailers):
        host, port = address.split(":")
        with socket.create_connection((host, int(port))) as connection:
            head = f"POST {{base}}{{request_id}}/response HTTP/1.1\\r\\nHost: {{address}}\\r\\n"
            head += "Lambda-Runtime-Function-Response-Mode: streaming\\r\\nTransfer-Encoding: chunked\\r\\n"
            head += "Content-Type: application/vnd.awslambda.http-integration-response\\r\\n"
            head += "Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\\r\\n\\r\\n"
            connection.sendall(head.encode())
            for chunk in chunks:
                connection.sendall(b"%x\\r\\n%s\\r\\n" % (len(chunk), chunk))
            if trailers is None:
                os._exit(1)
            end = "".join(f"{{name}}: {{value}}\\r\\n" for name, value in trailers.items())
            connection.sendall(f"0\\r\\n{{end}}\\r\\n".encode())
            return connection.recv(1000).split()[1]

    while True:
        status, headers, event = ask("GET", base + "next")
        request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        error = base64.b64encode(json.dumps({{"errorType": "Broken", "errorMessage": "half"}}).encode()).decode()
        match json.loads(event):
            case "whole": stream(request_id, [b"one ", b"two"], {{}})
            case "broken": stream(request_id, [b"one "], {{
                "Lambda-Runtime-Function-Error-Type": "Broken", "Lambda-Runtime-Function-Error-Body": error}})
            case "gone": stream(request_id, [b"one "], None)
            case "headers":
                said = {{name.lower(): value for name, value in headers.items()}}
                ask("POST", base + request_id + "/response", json.dumps(said))
            case "strict":
                path = base + request_id + "/response"
                said = [
                    ask("POST", base + "another/response", "1")[0],
                    ask("POST", path, "1", {{"Lambda-Runtime-Invocation-Id": "another"}})[0],
                    ask("GET", "/2018-06-01/runtime/nothing")[0],
                ]
                own = {{"Lambda-Runtime-Invocation-Id": headers["Lambda-Runtime-Invocation-Id"]}}
                ask("POST", path, json.dumps(said), own)
                print("twice:", ask("POST", path, "2")[0], flush=True)
            case "error":
                print(ask("POST", base + request_id + "/error", '{{"errorMessage": "m", "errorType": "T"}}',
                    {{"Lambda-Runtime-Function-Error-Type": "T"}}))
    """


def client(function: Function) -> list[str]:
    function.code(CLIENT, "client")
    (function.folder / "client").chmod(0o755)
    return ["--env", "AWS_LAMBDA_EXEC_WRAPPER=/var/task/client"]


def test_a_streamed_answer_arrives_whole(function: Function) -> None:
    (invocation,) = function.run(*client(function), "--events", function.events("whole"))["invocations"]
    assert invocation["outcome"] == "ok"
    assert invocation["answer"] == "one two"


def test_a_stream_that_ends_with_an_error_in_its_trailers_failed(function: Function) -> None:
    (invocation,) = function.run(*client(function), "--events", function.events("broken"))["invocations"]
    assert invocation["outcome"] == "error"
    assert invocation["error_type"] == "Broken"
    assert json.loads(invocation["answer"]) == {"errorType": "Broken", "errorMessage": "half"}


def test_a_process_that_ends_within_its_stream_crashed(function: Function) -> None:
    report = function.run(*client(function), "--events", function.events("gone", "whole"))
    assert outcomes(report) == ["crash", "ok"]


def test_an_invocation_carries_what_clients_read(function: Function) -> None:
    report = function.run(*client(function), "--events", function.events("headers"), "--timeout", "9s")
    (said,) = answers(report)
    assert said["lambda-runtime-aws-request-id"] == report["invocations"][0]["request_id"]
    assert said["content-type"] == "application/json"
    assert said["lambda-runtime-invoked-function-arn"].startswith("arn:aws:lambda:")
    assert said["lambda-runtime-trace-id"].startswith("Root=1-")
    assert len(said["lambda-runtime-deadline-ms"]) == 13
    assert said["lambda-runtime-invocation-id"] != said["lambda-runtime-aws-request-id"]


def test_what_a_client_says_of_another_invocation_is_refused(function: Function) -> None:
    report = function.run(*client(function), "--events", function.events("strict", "error"))
    assert answers(report)[0] == [400, 400, 404]
    assert "twice: 400" in report["invocations"][0]["log"] + report["invocations"][1]["log"]
    assert report["run"]["errors"] == {"T": 1}
