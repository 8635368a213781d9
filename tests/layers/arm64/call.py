"""Calls the handler that the layer hands the client, in the Python of the other architecture: one line of JSON an event."""

import json
import sys
import time

import faultlayer_layer


class Context:
    """What the client's context has, as far as the layer and the sample look."""

    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:sample"
    client_context = None

    def __init__(self, number):
        self.aws_request_id = f"00000000-0000-4000-8000-{number:012}"

    def get_remaining_time_in_millis(self):
        return 3000


handler = faultlayer_layer.handler
for number, event in enumerate(json.loads(sys.argv[1])):
    began = time.monotonic()
    try:
        said = {"answer": handler(event, Context(number))}
    except Exception as error:  # noqa: BLE001 - what the caller of a function sees
        said = {"error": type(error).__name__, "message": str(error)}
    print("said " + json.dumps(said | {"took_ms": (time.monotonic() - began) * 1000}), flush=True)
