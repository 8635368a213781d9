"""The layer without its native module (another architecture, another C library): the original handler, untouched.

Owns the way to the handler and the one line that says why nothing is injected. Does not own any fault.
"""

import json
import os
import sys
import time

from . import _resolver


def __getattr__(name):
    if name != "handler":
        raise AttributeError(f"module {__package__!r} has no attribute {name!r}")
    handler = _resolver.resolve(os.environ.get("FAULTLAYER_HANDLER"))
    _say_why()
    setattr(sys.modules[__package__], name, handler)
    return handler


def _say_why():
    try:
        from . import _native  # noqa: F401

        cause = "it loaded at the second try"
    except Exception as error:
        cause = str(error)
    now = time.time()
    record = {
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now * 1000) % 1000:03d}Z",
        "level": "ERROR",
        "source": "faultlayer",
        "reason": "internal_error",
        "message": f"the native module does not load, nothing is injected: {cause}",
    }
    os.write(1, (json.dumps(record, separators=(",", ":"), ensure_ascii=False) + "\n").encode())
