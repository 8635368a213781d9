"""The shipped stack comes and goes by AWS SAM's command line as it is."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from client import Lab
from demo_account import environment, samples

from conftest import BUCKET, ROOT, Aws

SAM = ROOT / ".cache" / "sam" / "bin" / "sam"


def test_sam_deploys_the_stack_and_deletes_it(lab: Lab, aws: Aws, dist: Path) -> None:
    if not SAM.exists():
        pytest.skip("AWS SAM's command line is not there: `make setup-sam` installs it")
    aws("s3", "mb", f"s3://{BUCKET}")
    own = environment(lab.url, "eu-central-1") | {
        "HOME": str(lab.state), "SAM_CLI_TELEMETRY": "0", "SAM_CLI_POLL_DELAY": "1",
    }  # fmt: skip

    def sam(*arguments: str) -> None:
        done = subprocess.run([str(SAM), *arguments], capture_output=True, text=True, env=own, cwd=dist, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    given = [f"{key}={value}" for key, value in samples().items()]
    sam("deploy", "--template-file", "stack.json", "--s3-bucket", BUCKET, "--stack-name", "chaos", "--capabilities", "CAPABILITY_IAM",
        *(["--parameter-overrides", *given] if given else []), "--no-progressbar")  # fmt: skip
    [stack] = aws("cloudformation", "describe-stacks", "--stack-name", "chaos")["Stacks"]
    outputs = {row["OutputKey"]: row["OutputValue"] for row in stack["Outputs"]}
    assert (stack["StackStatus"], outputs["ExperimentDocument"]) == ("CREATE_COMPLETE", "chaos-Experiment")
    sam("delete", "--stack-name", "chaos", "--s3-bucket", BUCKET, "--no-prompts", "--region", "eu-central-1")
    assert aws("cloudformation", "list-stacks", "--stack-status-filter", "CREATE_COMPLETE")["StackSummaries"] == []
