"""The process that the scripts of executions are forked from, by itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from client import Lab
from documents import document, script

RUNNER = Path(__file__).parents[2] / "lab/src/cloud/services/ssm/automation/runner.py"
REFUSED = "FAULTLAYER_LAB_PYTHON: `{}` is no Python with boto3"
SCRIPT = """
import boto3

def seen(events, context):
    client = boto3.client("lambda")
    keys = boto3.DEFAULT_SESSION.get_credentials()
    return {"users": client.meta.config.retries.get("mode") == "adaptive", "region": client.meta.region_name, "key": keys.access_key}
"""


LEFT = """
import atexit, threading, time

def seen(events, context):
    threading.Thread(target=lambda: (time.sleep(0.2), print("the thread's"))).start()
    atexit.register(print, "at the end")
    return "returned"
"""


@contextmanager
def started(home: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-B", "-u", "-c", RUNNER.read_text(encoding="utf-8")]
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(home)}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as runner:
        yield runner
        assert runner.stdin
        runner.stdin.close()


def run(runner: subprocess.Popen[str], folder: Path, script: str, variables: dict[str, str]) -> Any:
    """What came of the script, once its process has ended."""
    assert runner.stdin
    assert runner.stdout
    folder.mkdir()
    order = {"script": script, "handler": "seen", "events": {}, "context": {}}
    (folder / "order.json").write_text(json.dumps(order), encoding="utf-8")
    environment = {"HOME": str(folder), **variables}
    print(json.dumps({"folder": str(folder), "environment": environment}), file=runner.stdin, flush=True)
    runner.stdout.readline()
    assert json.loads(runner.stdout.readline())["status"] == 0
    return json.loads((folder / "outcome.json").read_text(encoding="utf-8"))


def test_a_script_has_the_settings_of_its_order_and_none_of_the_users(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / ".aws").mkdir(parents=True)
    (home / ".aws" / "config").write_text("[default]\nretry_mode = adaptive\nregion = us-west-2\n", encoding="utf-8")
    (home / ".aws" / "credentials").write_text(
        "[default]\naws_access_key_id = users\naws_secret_access_key = s\n", encoding="utf-8"
    )
    with started(home) as runner:
        for name in ("one", "two"):
            variables = {"AWS_REGION": f"eu-{name}-1", "AWS_DEFAULT_REGION": f"eu-{name}-1"}
            keys = {"AWS_ACCESS_KEY_ID": name, "AWS_SECRET_ACCESS_KEY": "s"}
            ended = run(runner, tmp_path / name, SCRIPT, variables | keys)
            assert ended["payload"] == {"users": False, "region": f"eu-{name}-1", "key": name}


def test_a_script_ends_when_its_threads_have_and_after_what_it_asked_for_at_the_end(tmp_path: Path) -> None:
    with started(tmp_path) as runner:
        assert run(runner, tmp_path / "one", LEFT, {}) == {"payload": "returned"}
    assert (tmp_path / "one" / "log").read_text(encoding="utf-8") == "the thread's\nat the end\n"


def test_a_python_whose_boto3_cannot_be_imported_is_none_with_boto3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    [packages] = (tmp_path / "venv" / "lib").glob("python*/site-packages")
    for name in ("boto3", "botocore"):
        (packages / name).mkdir()
        (packages / name / "__init__.py").write_text("raise ImportError\n", encoding="utf-8")
    monkeypatch.setenv("FAULTLAYER_LAB_PYTHON", str(python))
    lab = Lab(tmp_path / "lab")
    try:
        view = lab.emptied().ended(lab.run(document(script("return {}"))))
        assert [step["FailureMessage"] for step in view["StepExecutions"]] == [REFUSED.format(python)]
    finally:
        lab.stop()
