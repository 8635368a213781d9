"""The commands of fis/README.md, from the first to the last, typed as they stand there: only the variables at their top differ."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from client import Lab, command
from demo_account import blocks, samples

from test_deploy import ROOT, everything

OURS = {
    "STACK": "typed",
    "BUCKET": "typed-bucket",
    "PARAMETERS": shlex.quote(" ".join(f"{key}={value}" for key, value in samples().items())),
}


def test_every_command_of_the_page_works_in_its_order(lab: Lab, tmp_path: Path) -> None:
    page = (ROOT / "fis" / "README.md").read_text(encoding="utf-8")
    script = "\n".join(block for section in blocks(page).values() for block in section)
    for name, value in OURS.items():
        script, changed = re.subn(rf'^{name}=("[^"]*"|\S+)', f"{name}={value}", script, flags=re.MULTILINE)
        assert changed == 1, f"{name} is set {changed} times on the page"
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "faultlayer").symlink_to(Path(command()).resolve())
    (tools / "aws").symlink_to(Path(sys.executable).with_name("aws"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
        "PATH": f"{tools}:{os.environ['PATH']}", "AWS_ENDPOINT_URL": lab.url, "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "lab", "AWS_SECRET_ACCESS_KEY": "lab", "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_PAGER": "",
    }  # fmt: skip
    for name in ("dist", "examples"):
        (tmp_path / name).symlink_to(ROOT / name)
    # Built already, by what the test's own target needs.
    assert script.count("make stack cli\nPATH=$PWD/target/release:$PATH\n") == 1
    script = script.replace("make stack cli\n", "").replace("PATH=$PWD/target/release:$PATH\n", "")
    # A bucket of the user's.
    lab.client("s3", attempts=8).create_bucket(
        Bucket=OURS["BUCKET"], CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    # Five minutes pass in ten seconds: time enough for a call.
    lab.settings(speed=30)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "completed" in done.stdout
    records = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"timestamp"')]
    assert {record["source"] for record in records} <= {"faultlayer"}
    assert not any(everything(lab).values()), "the page says that deleting leaves nothing"
