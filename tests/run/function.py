"""Functions made of a few lines, and `faultlayer run` over them."""

from __future__ import annotations

import json
import os
import subprocess
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
COMMAND = Path(os.environ.get("FAULTLAYER_COMMAND", ROOT / "target/release/faultlayer"))
SAMPLE = ROOT / "examples/python"


def command(code: Path, *arguments: str, handler: str = "app.handler", runtime: str = "python") -> list[str]:
    """`faultlayer run` over the function in the folder `code`."""
    return [str(COMMAND), "run", "--runtime", runtime, "--code", str(code), "--handler", handler, *arguments]


@dataclass
class Function:
    """A folder with one function, `app.py`, and what it is run with."""

    folder: Path
    options: list[str] = field(default_factory=list)

    def code(self, text: str, name: str = "app.py") -> None:
        (self.folder / name).write_text(textwrap.dedent(text), encoding="utf-8")

    def command(self, *arguments: str, handler: str = "app.handler", runtime: str = "python") -> list[str]:
        return command(self.folder, *self.options, *arguments, handler=handler, runtime=runtime)

    def run(
        self, *arguments: str, handler: str = "app.handler", runtime: str = "python", status: int = 0
    ) -> dict[str, Any]:
        """The report of a run whose exit status must be `status`; with the ids of seed 1 unless another is given."""
        seed = [] if "--id-seed" in arguments else ["--id-seed", "1"]
        done = subprocess.run(
            self.command("--json", "--logs", *seed, *arguments, handler=handler, runtime=runtime),
            capture_output=True,
            encoding="utf-8",
            cwd=ROOT,
        )
        assert done.returncode == status, done.stderr
        report = json.loads(done.stdout)
        assert isinstance(report, dict)
        return report

    def events(self, *events: Any) -> str:
        """A file with these events, one a line."""
        path = self.folder / "events.jsonl"
        path.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
        return str(path)

    def plan(self, *faults: dict[str, Any], **fields: Any) -> str:
        path = self.folder / "plan.json"
        path.write_text(json.dumps({"version": 1, "faults": faults, **fields}), encoding="utf-8")
        return str(path)


def answers(report: dict[str, Any]) -> list[Any]:
    """What the callers got, read as JSON."""
    return [json.loads(invocation["answer"]) for invocation in report["invocations"]]


def outcomes(report: dict[str, Any]) -> list[str]:
    return [invocation["outcome"] for invocation in report["invocations"]]


def logged(report: dict[str, Any]) -> list[str]:
    return [line for invocation in report["invocations"] for line in invocation["log"]]
