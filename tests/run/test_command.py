"""What the command says of itself, and what builds Node's runtime client says of what it lacks."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from function import COMMAND, ROOT

SUBCOMMANDS = {"run", "plan", "lab", "attach", "rollback", "status", "experiment", "completions", "man"}
CLIENT = ROOT / "lab" / "src" / "runtime" / "clients" / "node_client.py"


def faultlayer(*arguments: str) -> str:
    return subprocess.run([COMMAND, *arguments], capture_output=True, encoding="utf-8", check=True).stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions_name_every_subcommand_and_the_shell_can_read_them(shell: str) -> None:
    script = faultlayer("completions", shell)
    assert [name for name in sorted(SUBCOMMANDS) if name not in script] == []
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, encoding="utf-8", check=True)


def test_the_manual_has_a_page_for_the_command_and_for_each_subcommand(tmp_path: Path) -> None:
    assert faultlayer("man").startswith(".ie")
    faultlayer("man", "--out", str(tmp_path / "man"))
    pages = {page.stem for page in (tmp_path / "man").iterdir()}
    assert pages >= {"faultlayer", *(f"faultlayer-{name}" for name in SUBCOMMANDS)}
    taken = tmp_path / "file"
    taken.write_text("")
    done = subprocess.run([COMMAND, "man", "--out", taken], capture_output=True, encoding="utf-8")
    assert done.returncode == 2
    assert done.stderr.startswith(f"faultlayer: --out: cannot write to `{taken}`: ")


def test_the_version_names_the_commit_that_was_built() -> None:
    said = faultlayer("--version").split()
    history = subprocess.run(["git", "rev-list", "HEAD"], cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    if history.returncode:
        assert len(said) == 2, "sources without their history name none"
        return
    assert len(said) == 3
    assert any(commit.startswith(said[2].strip("()")) for commit in history.stdout.split())


def test_what_nodes_client_cannot_be_built_without_is_named_with_the_way_to_get_it(tmp_path: Path) -> None:
    command: list[str | Path] = [sys.executable, CLIENT, "3.3.0", tmp_path / "clients", tmp_path / "node"]
    done = subprocess.run(command, env={"PATH": str(tmp_path)}, capture_output=True, encoding="utf-8")
    assert done.returncode == 1
    assert done.stdout == "missing: cc, make, tar, npm. On Debian: apt install gcc make tar npm\n"
    assert not (tmp_path / "clients").exists()
