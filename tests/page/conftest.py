"""A run with every ending, its report in every form, and a browser to look at the page."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import reported
import test_fis
from client import Lab
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
COMMAND = Path(os.environ.get("FAULTLAYER_COMMAND", ROOT / "target/release/faultlayer"))

HANDLER = """
import time

def handler(event, context):
    if event.get("fail"):
        raise KeyError("<img src=x onerror=alert(1)> & \\"quotes\\"")
    return {"statusCode": 200, "body": "</script><script>alert(1)</script>"}
"""
PLAN = {
    "version": 1,
    "experiment": "</title><b>checkout</b>",
    "faults": [
        {"id": "slow", "kind": "latency", "rate": 0.3, "delay_ms": {"uniform": {"min": 5, "max": 60}}},
        {"id": "<i>boom", "kind": "error", "rate": 0.1, "type": "ConnectionError", "message": "</script>"},
        {"id": "busy", "kind": "response", "rate": 0.1, "status": 503},
        {"id": "crash", "kind": "exit", "rate": 0.02},
        {"id": "stall", "kind": "timeout", "rate": 0.02},
    ],
}
EXPECTED = {
    "errors < 90%": "held",
    "p99 < 1ms": "broken",
    "injections > 0": "held",
    "alarm checkout stays OK": "not_measurable",
}


@dataclass
class Report:
    """One run's report in all its forms."""

    page: Path
    markdown: str
    json: dict[str, Any]
    output: str


def run(folder: Path, calls: int, *arguments: str, plan: dict[str, Any] | None = None, status: int = 0) -> Report:
    """Runs the function `calls` times; every tenth call fails by itself."""
    (folder / "app.py").write_text(HANDLER, encoding="utf-8")
    (folder / "plan.json").write_text(json.dumps(plan or PLAN), encoding="utf-8")
    events = [{"fail": number % 10 == 9} for number in range(10)]
    (folder / "events.jsonl").write_text("\n".join(map(json.dumps, events)), encoding="utf-8")
    command: list[str | Path] = [COMMAND, "run", "--runtime", "python", "--code", folder, "--handler", "app.handler"]
    command += ["--plan", folder / "plan.json", "--events", folder / "events.jsonl", "-n", str(calls)]
    command += ["--id-seed", "7", "--timeout", "300ms", *arguments]
    for form in ("html", "md", "json"):
        command += ["--report", folder / f"report.{form}"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", cwd=ROOT, check=False)
    assert done.returncode == status, done.stderr
    return Report(
        folder / "report.html",
        (folder / "report.md").read_text(encoding="utf-8"),
        json.loads((folder / "report.json").read_text(encoding="utf-8")),
        done.stdout,
    )


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    expected = [word for text in EXPECTED for word in ("--expect", text)]
    return run(tmp_path_factory.mktemp("report"), 200, "--compare", *expected, status=3)


@pytest.fixture(scope="session")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The report of an experiment in the lab."""
    folder = tmp_path_factory.mktemp("experiment")
    lab = Lab(folder / "lab")
    try:
        lab.emptied(update_ms=20)
        identity, _ = reported.gone_through(reported.prepared(lab))
        wanted = [word for text in ("errors < 1%", "alarm stop stays OK") for word in ("--expect", text)]
        files = [word for form in ("html", "md", "json") for word in ("--report", str(folder / f"report.{form}"))]
        done = test_fis.run(lab, "report", identity, *reported.SPAN, *wanted, *files)
        assert done.returncode == 3, done.stderr
    finally:
        lab.stop()
    markdown, document = ((folder / f"report.{form}").read_text(encoding="utf-8") for form in ("md", "json"))
    return Report(folder / "report.html", markdown, json.loads(document), done.stdout)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not on this machine. On Debian: apt install chromium")
    # Nothing of the browser's own wants the network; as root, as in a container, it has no sandbox of its own.
    arguments = ["--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=[*arguments, "--no-sandbox"])
        yield opened
        opened.close()


@dataclass
class Look:
    """A page as it is open, with all that went wrong on it."""

    page: Page
    said: list[str]
    asked: list[str]


def look(browser: Browser, file: Path, **options: Any) -> Look:
    """Opens the page and listens."""
    page = browser.new_context(**options).new_page()
    found = Look(page, [], [])

    def heard(message: ConsoleMessage) -> None:
        found.said.append(f"{message.type}: {message.text}")

    def requested(request: Request) -> None:
        found.asked.append(request.url)

    page.on("console", heard)
    page.on("pageerror", lambda error: found.said.append(str(error)))
    page.on("request", requested)
    page.goto(file.as_uri())
    return found
