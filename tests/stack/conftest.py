"""`dist/stack.json` in a lab, deployed by the AWS command line as it is; the lab and its clients are those of the lab's own tests.

A deployment takes half a minute, for so long the command line waits between two looks: let the tests of a module share it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "lab"), str(ROOT / "tools")]

import commandline
from client import Lab
from demo_account import environment, samples
from fixtures import labs as labs
from fixtures import shared_lab as shared_lab

DIST = ROOT / "dist"
BUCKET = "deployments"
# What FIS and Automation wait between two looks: oftener, and they would use up the rates of the account.
POLL_MS = 250
Aws = Callable[..., Any]
Deployed = Callable[..., dict[str, str]]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A started lab, for the tests of one module."""
    lab = Lab(tmp_path_factory.mktemp("lab"))
    lab.settings(update_ms=50, speed=600, poll_ms=POLL_MS)
    yield lab
    lab.stop()


@pytest.fixture(scope="module")
def aws(lab: Lab) -> Aws:
    """Runs the AWS command line; what it printed, read as JSON where it is."""

    def run(*arguments: str, status: int = 0) -> Any:
        own = environment(lab.url, "eu-central-1") | {"HOME": str(lab.state)}
        done = subprocess.run([commandline.aws(), *arguments], capture_output=True, text=True, env=own, check=False)
        assert done.returncode == status, done.stdout + done.stderr
        try:
            return json.loads(done.stdout)
        except json.JSONDecodeError:
            return done.stdout + done.stderr

    return run


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what `make stack` wrote, which tests may change."""
    if not (DIST / "stack.json").exists():
        pytest.skip("dist/stack.json is not there: `make stack` writes it")
    if not (DIST.parent / "lab/src/cloud/services/logs").exists():
        pytest.skip("the lab has no CloudWatch Logs, which the stack's log groups need")
    copy = tmp_path_factory.mktemp("dist") / "dist"
    shutil.copytree(DIST, copy)
    return copy


@pytest.fixture(scope="module")
def deployed(lab: Lab, aws: Aws, dist: Path) -> Iterator[Deployed]:
    """Packages and deploys the stack, and again when it is called again; its outputs. Every stack goes with the module."""
    aws("s3", "mb", f"s3://{BUCKET}")
    names: set[str] = set()

    def deploy(stack_name: str = "chaos", **parameters: str) -> dict[str, str]:
        names.add(stack_name)
        packaged = dist / "packaged.yaml"
        aws("cloudformation", "package", "--template-file", str(dist / "stack.json"), "--s3-bucket", BUCKET,
            "--output-template-file", str(packaged))  # fmt: skip
        given = ["--parameter-overrides", *(f"{key}={value}" for key, value in (samples() | parameters).items())]
        aws("cloudformation", "deploy", "--template-file", str(packaged), "--s3-bucket", BUCKET, "--stack-name", stack_name,
            "--capabilities", "CAPABILITY_IAM", "--no-fail-on-empty-changeset", *given)  # fmt: skip
        [stack] = aws("cloudformation", "describe-stacks", "--stack-name", stack_name)["Stacks"]
        return {row["OutputKey"]: row["OutputValue"] for row in stack["Outputs"]}

    yield deploy
    if lab.process.poll() is None:
        for name in names:
            aws("cloudformation", "delete-stack", "--stack-name", name)
            aws("cloudformation", "wait", "stack-delete-complete", "--stack-name", name)
