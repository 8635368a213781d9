"""Microseconds beyond the delay, of the layer's and of `time.sleep`, in turns: JSON on standard error, beside the log.

python delays.py LAYER MS TIMES
"""

import json
import sys
import time

layer, delay, times = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
sys.path.insert(0, layer)


class Context:
    def __init__(self, number):
        self.aws_request_id = f"8f5c7d1e-7b61-11e6-9a41-{number:012x}"
        self._epoch_deadline_time_in_ms = int(time.time() * 1000) + 900_000


sys.modules["index"] = app = type(sys)("index")
app.handler = lambda event, context: None
from faultlayer_layer import handler  # noqa: E402

beyond = {"injected": [], "the language's own": []}
for number in range(times):
    context = Context(number)
    begun = time.perf_counter_ns()
    handler(None, context)
    beyond["injected"].append((time.perf_counter_ns() - begun) / 1000 - delay * 1000)
    begun = time.perf_counter_ns()
    time.sleep(delay / 1000)
    beyond["the language's own"].append((time.perf_counter_ns() - begun) / 1000 - delay * 1000)
print(json.dumps(beyond), file=sys.stderr)
