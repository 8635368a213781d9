"""One crossing in Python: a handler alone, and behind the layer under a plan that draws nothing, N calls each.

python crossing.py OPT N

The marks are the protocol of `count.py`.
"""

import json
import os
import sys

OPT, CALLS = sys.argv[1], int(sys.argv[2])
sys.path.insert(0, os.path.join(OPT, "python"))
PLAN = {
    "version": 1,
    "expires_at": "2099-01-01T00:00:00Z",
    "faults": [{"id": f"fault-{n}", "kind": "latency", "rate": 1e-15, "delay_ms": 1} for n in range(7)],
}


class Context:
    aws_request_id = "8f5c7d1e-7b61-11e6-9a41-93e8deadbeef"
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:hello"


def handler(event, context):
    return None


def calls(function, event, context):
    for _ in range(CALLS):
        function(event, context)


def layered():
    app = type(sys)("app")
    app.handler = handler
    sys.modules["app"] = app
    os.environ["FAULTLAYER_HANDLER"] = "app.handler"
    os.environ["FAULTLAYER_PLAN"] = json.dumps(PLAN)
    import faultlayer_layer

    return faultlayer_layer.handler


behind, context, event = layered(), Context(), {}
print(json.dumps(["bare", "a crossing, none drawn, faults: 7"]), flush=True)
for function in (handler, behind):
    calls(function, event, context)
for function in (handler, behind):
    os.getppid()
    calls(function, event, context)
os.getppid()
