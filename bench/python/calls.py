"""Nanoseconds of a call through each kind of wrapper, round by round, all kinds in turns; JSON on standard output.

python calls.py '{"layer": FOLDER, "site": FOLDER OR "", "rounds": N}'
"""

import json
import os
import sys
import time

ASKED = json.loads(sys.argv[1])
CALLS = 20_000
SELDOM = 1e-15
EVENT = {"version": "0", "detail": {"state": "paid", "amount": 12.5, "items": [{"sku": "a"}, {"sku": "b"}]}}


class Context:
    """What of awslambdaric's context anything here reads, as its own attributes, which is how the client has them."""

    def __init__(self):
        self.aws_request_id = "8f5c7d1e-7b61-11e6-9a41-93e8deadbeef"
        self.invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:hello"
        self._epoch_deadline_time_in_ms = int(time.time() * 1000) + 900_000


def handler(event, context):
    return None


def layered(**variables):
    """What a client gets of the layer under these variables."""
    sys.modules["app"] = app = type(sys)("app")
    app.handler = handler
    os.environ.update({"FAULTLAYER_HANDLER": "app.handler", **variables})
    import faultlayer_layer

    found = faultlayer_layer.handler
    del faultlayer_layer.handler
    for name in variables:
        del os.environ[name]
    return found


def plan(*faults):
    named = [{"id": f"fault-{n}", "kind": "latency", "delay_ms": 1, **fault} for n, fault in enumerate(faults)]
    return json.dumps({"version": 1, "expires_at": "2099-01-01T00:00:00Z", "faults": named})


def chaos_lambda(**config):
    """The handler behind it, and what makes its parameter a constant: no call to Systems Manager is in the figure."""
    os.environ["CHAOS_PARAM"] = "chaoslambda.config"
    import chaos_lambda as peer

    text = json.dumps({"fault_type": "exception", "exception_msg": "e", "rate": -1, **config})

    class Constant:
        def __init__(self, name):
            self.value = text

    return peer.inject_fault(handler), lambda: setattr(peer, "SSMParameter", Constant)


def failure_flags():
    from failureflags import FailureFlag

    def flagged(event, context):
        FailureFlag("flag", {}).invoke()
        return handler(event, context)

    return flagged


sys.path.insert(0, ASKED["layer"])
unmatched = {"rate": 1, "match": {"event": {"detail": {"state": ["refunded"], "amount": [{"numeric": [">", 100]}]}}}}
kinds = {
    "bare": handler,
    "nothing can fire": layered(FAULTLAYER_DISABLED="1"),
    "none drawn of 1": layered(FAULTLAYER_PLAN=plan({"rate": SELDOM})),
    "none drawn of 7": layered(FAULTLAYER_PLAN=plan(*[{"rate": SELDOM}] * 7)),
    "match does not match": layered(FAULTLAYER_PLAN=plan(unmatched)),
}
before = {}
if ASKED["site"]:
    sys.path.append(ASKED["site"])
    for name, config in {
        "chaos-lambda, off": {"is_enabled": False},
        "chaos-lambda, none drawn": {"is_enabled": True},
    }.items():
        kinds[name], before[name] = chaos_lambda(**config)
    kinds["failureflags, off"] = failure_flags()

context = Context()
rounds = {name: [] for name in kinds}
for _ in range(ASKED["rounds"]):
    for name, call in kinds.items():
        before.get(name, lambda: None)()
        begun = time.perf_counter_ns()
        for _ in range(CALLS):
            call(EVENT, context)
        rounds[name].append((time.perf_counter_ns() - begun) / CALLS)
print(json.dumps(rounds))
