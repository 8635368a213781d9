"""What docs/dependencies.md says to type works, and shows what it says."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from interpreters import ROOT

COMMAND = Path(os.environ.get("FAULTLAYER_COMMAND", ROOT / "target" / "release" / "faultlayer"))


@pytest.mark.skipif(not COMMAND.exists(), reason="the command is not built (make cli)")
def test_the_page_on_dependencies(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    first, second = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    (tmp_path / "target" / "release").mkdir(parents=True)
    (tmp_path / "target" / "release" / "faultlayer").symlink_to(COMMAND)
    (tmp_path / "examples").symlink_to(ROOT / "examples")

    def shown(script: str) -> str:
        done = subprocess.run(["bash", "-euc", script], cwd=tmp_path, capture_output=True, text=True, timeout=500)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def figure(text: str, label: str) -> list[int]:
        line = next(line for line in text.splitlines() if line.strip().startswith(label))
        return [int(number) for number in re.findall(r"(?<!\S)\d+(?!\S)", line.replace(label, "", 1))]

    patient, impatient = shown(first), shown(second)
    # What is throttled always fails, whatever the policy; what is throttled once fails with a single attempt alone.
    healthy, refused = figure(patient, "with status 503")
    assert healthy == 0 < refused
    faults = {line.split()[0]: line for line in patient.splitlines() if "aws_call" in line}
    hits = {name: tuple(map(int, re.search(r"(\d+) of (\d+)", line).groups())) for name, line in faults.items()}  # type: ignore[union-attr]
    # Where both are drawn, the first attempt is the other one's.
    assert hits["always"][1] == 3 * refused >= hits["always"][0] > 2 * refused
    once, met = hits["once"]
    assert once > 5
    assert once < met <= 2 * once + refused
    [now_refused] = figure(impatient, "with status 503")[-1:]
    assert now_refused > refused + 5
