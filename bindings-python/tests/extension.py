"""What stands in the place of AWS's extensions (`tests/live/extension.py`), as a test holds it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from interpreters import ROOT

PATIENCE_S = 30.0


def eventually(ask: Callable[[], Any], wanted: Any) -> None:
    """Asks until that is the answer."""
    end = time.monotonic() + PATIENCE_S
    while (seen := ask()) != wanted:
        assert time.monotonic() < end, f"never {wanted}, but {seen}"
        time.sleep(0.005)


class Extension:
    """`with Extension() as extension: extension.plan({...}); extension.become("silent")`."""

    def __init__(self) -> None:
        command = [sys.executable, str(ROOT / "tests" / "live" / "extension.py")]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = self._line().strip()

    def __enter__(self) -> Extension:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate()

    def plan(self, plan: dict[str, Any] | str) -> None:
        """What it answers from now on."""
        self._say("plan " + (plan if isinstance(plan, str) else json.dumps(plan)))

    def become(self, way: str) -> None:
        """How it answers from now on."""
        self._say(way)

    def asked(self) -> list[dict[str, Any]]:
        """What it was asked so far."""
        return list(json.loads(self._say("asked")))

    def variables(self, source: str) -> dict[str, str]:
        """A function's, with a plan from there that every invocation has read anew."""
        return {
            "FAULTLAYER_PLAN": source,
            "FAULTLAYER_PLAN_REFRESH_S": "0",
            "AWS_APPCONFIG_EXTENSION_HTTP_PORT": self.port,
            "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT": self.port,
            "AWS_SESSION_TOKEN": "token+/=",
        }

    def _say(self, line: str) -> str:
        assert self.process.stdin
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self._line()

    def _line(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline()
