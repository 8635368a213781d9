"""What docs/lab.md says to type works, in the order it says."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import commandline
from client import Lab, command

from test_attach import ARCH, ROOT, version


def test_the_page_on_the_lab(lab: Lab, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "lab.md").read_text()
    (script,) = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    python = f"python{version(['python3', '--version'])}"
    script = script.replace("python3.12", python).replace("x86_64", ARCH)
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "faultlayer").symlink_to(Path(command()).resolve())
    (tools / "aws").symlink_to(commandline.aws())
    for name in ("examples", "dist"):
        (tmp_path / name).symlink_to(ROOT / name)
    assert shutil.which("zip"), "missing: `zip`"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "PATH": f"{tools}:{os.environ['PATH']}",
        "AWS_ENDPOINT_URL": lab.url,
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "lab",
        "AWS_SECRET_ACCESS_KEY": "lab",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_PAGER": "",
    }
    done = subprocess.run(
        ["bash", "-euc", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "faulty.json").read_text())["errorType"] == "ConnectionError"
    assert json.loads((tmp_path / "healthy.json").read_text())["body"] == "Hello from Lambda"
