"""The commands of fis/README.md, from the first to the last, typed as they stand there: only the variables at their top differ."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import commandline
from client import Lab, command
from demo_account import blocks, environment, samples, with_variables

from test_deploy import ROOT, everything

BUCKET = "typed-bucket"


def test_every_command_of_the_page_works_in_its_order(lab: Lab, tmp_path: Path) -> None:
    page = blocks((ROOT / "fis" / "README.md").read_text(encoding="utf-8"))
    parameters = " ".join(f"{key}={value}" for key, value in samples().items())
    script = with_variables(
        "\n".join(block for section in page.values() for block in section), STACK="typed", BUCKET=BUCKET, PARAMETERS=parameters
    )
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "faultlayer").symlink_to(Path(command()).resolve())
    (tools / "aws").symlink_to(commandline.aws())
    for name in ("dist", "examples"):
        (tmp_path / name).symlink_to(ROOT / name)
    # A bucket of the user's.
    lab.client("s3", attempts=8).create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    # Five minutes pass in twenty seconds: time enough for the calls that the page makes meanwhile.
    lab.settings(speed=15)
    own = environment(lab.url, "eu-central-1", tools)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=tmp_path, env=own, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    ends = [line for line in done.stdout.splitlines() if line in ("completed", "stopped", "failed", "cancelled")]
    assert ends == ["completed", "completed"], "the experiment that holds, and the one that only attaches"
    records = [json.loads(line) for line in done.stdout.splitlines() if '"source":"faultlayer"' in line]
    assert {record["fault"] for record in records} <= {"delay", "failure"}
    assert records, "of the page's calls none met a fault, which happens once in ten thousand runs"
    assert not any(everything(lab).values()), "the page says that deleting leaves nothing"
