"""Microseconds on the processor of an attempt of botocore's, by rounds, all kinds in turns; JSON on standard output.

python aws.py '{"layer": FOLDER, "rounds": N}'

Each attempt ends in botocore as soon as ours is done with it: nothing is sent, so that nothing else is measured.
"""

import json
import os
import sys
import time
import types
from copy import copy

ASKED = json.loads(sys.argv[1])
CALLS = 2_000
FAULT = {
    "id": "throttle",
    "kind": "aws_call",
    "rate": 1,
    "match": {"event": {"hit": [True]}},
    "target": {"service": ["dynamodb"], "operation": ["PutItem"]},
    "error": "ThrottlingException",
}


class Context:
    aws_request_id = "8f5c7d1e-7b61-11e6-9a41-93e8deadbeef"
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:hello"
    _epoch_deadline_time_in_ms = int(time.time() * 1000) + 900_000


class Model:
    """An operation's, with nothing but what is read first."""

    name = "GetItem"


def signed(client, **call):
    """A request as the client signs it, and as it goes to its endpoint."""
    kept = []

    def keep(request, **_):
        kept.append(request)
        raise InterruptedError

    client.meta.events.register("before-send", keep)
    try:
        client.get_item(**call) if hasattr(client, "get_item") else client.list_queues(**call)
    except InterruptedError:
        return kept[0]


def took(endpoint, request):
    begun = time.thread_time_ns()
    for _ in range(CALLS):
        endpoint._do_get_response(request, Model, None)
    return (time.thread_time_ns() - begun) / CALLS / 1000


def handler(event, context):
    for name, (endpoint, request) in KINDS[event["hit"]].items():
        ROUNDS.setdefault(name, []).append(took(endpoint, request))


sys.path.insert(0, ASKED["layer"])
sys.modules["app"] = app = types.ModuleType("app")
app.handler = handler
plan = {"version": 1, "expires_at": "never", "faults": [FAULT]}
os.environ.update(FAULTLAYER_HANDLER="app.handler", FAULTLAYER_PLAN=json.dumps(plan))
import boto3  # noqa: E402
import botocore.endpoint as module  # noqa: E402
from faultlayer_layer import handler as layered  # noqa: E402


class Bare(module.Endpoint):
    """As botocore has it."""

    _do_get_response = types.FunctionType(module.Endpoint._do_get_response.__code__, vars(module))


session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="eu-west-1")
dynamodb, sqs = session.client("dynamodb"), session.client("sqs")
get = signed(dynamodb, TableName="orders", Key={"id": {"S": "1"}})
lists = signed(sqs)
ours = dynamodb._endpoint
bare = copy(ours)
bare.__class__ = Bare
KINDS = {
    False: {"bare": (bare, get), "in an invocation that is not hit": (ours, get)},
    True: {"in one that is, to another service": (ours, lists), "to the service, another operation": (ours, get)},
}
ROUNDS = {}
# Whatever warms up, warms up here.
for hit in (False, True):
    layered({"hit": hit}, Context)
ROUNDS.clear()
for _ in range(ASKED["rounds"]):
    for hit in (False, True):
        layered({"hit": hit}, Context)
sys.stdout.flush()
print(json.dumps(ROUNDS))
