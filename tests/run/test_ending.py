"""Whichever way a run ends, nothing that it started is left."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from function import COMMAND, SAMPLE, Function, outcomes

# The function leaves a process behind that has left its group and session as well, then waits for ever.
LEAVING = """
    import pathlib, subprocess, sys, time

    MARK = {mark!r}

    def handler(event, context):
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", MARK], start_new_session=True)
        print("started", flush=True)
        time.sleep({seconds})
    """


def marked(mark: str) -> list[int]:
    """The processes that have `mark` in their arguments, zombies aside."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            arguments = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if mark.encode() in arguments.split(b"\0"):
            found.append(int(process.name))
    return found


def gone(mark: str) -> bool:
    """Waits for the end of what is being killed; a process that is not, stays until the limit."""
    for _ in range(500):
        if not marked(mark):
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for temporary ones, empty."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGKILL, -9)],
)
@pytest.mark.parametrize("isolated", [True, False])
def test_a_signal_ends_everything(
    function: Function, folders: Path, number: signal.Signals, status: int, isolated: bool
) -> None:
    mark = f"faultlayer-test-{os.getpid()}-{number}-{isolated}"
    function.code(LEAVING.format(mark=mark, seconds=600))
    function.options += [] if isolated else ["--not-isolated"]
    run = subprocess.Popen(
        function.command("-n", "5", "--timeout", "15m"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    while not marked(mark):
        assert run.poll() is None, run.communicate()[1]
        time.sleep(0.02)
    run.send_signal(number)
    output, _ = run.communicate()
    assert run.returncode == status
    assert gone(mark)
    if number == signal.SIGKILL:
        # It could not clear up itself: the next run does.
        subprocess.run(function.command("-n", "0"), check=True, capture_output=True)
    else:
        assert "interrupted after 0 of 5 calls" in output
    assert list(folders.iterdir()) == []


def test_a_signal_ends_an_installation(function: Function, folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark = f"faultlayer-test-{os.getpid()}-installation"
    monkeypatch.setenv("XDG_CACHE_HOME", str(function.folder / "cache"))
    interpreter = function.folder / "interpreter"
    # It says what it is, and then installs for ever.
    found = {"client": False, "pip": True, "venv": True}
    said = {"version": "3.12", "executable": str(interpreter), "folders": [], **found}
    install = f'exec "{sys.executable}" -c "import time; time.sleep(600)" {mark}'
    interpreter.write_text(f"#!/bin/sh\nif [ \"$1\" = -c ]; then echo '{json.dumps(said)}'; else {install}; fi\n")
    interpreter.chmod(0o755)
    function.code("def handler(event, context): pass")
    run = subprocess.Popen(
        function.command("--interpreter", str(interpreter)), stderr=subprocess.PIPE, encoding="utf-8"
    )
    while not marked(mark):
        assert run.poll() is None, run.communicate()[1]
        time.sleep(0.02)
    run.send_signal(signal.SIGTERM)
    run.communicate()
    assert run.returncode == 143
    assert gone(mark)
    assert list(folders.iterdir()) == []


@pytest.mark.parametrize("seconds", [0, 600])
def test_what_a_function_starts_ends_with_its_run(function: Function, folders: Path, seconds: int) -> None:
    mark = f"faultlayer-test-{os.getpid()}-{seconds}"
    function.code(LEAVING.format(mark=mark, seconds=seconds))
    report = function.run("-n", "2", "--timeout", "2s" if seconds else "1m")
    assert outcomes(report) == ["timeout" if seconds else "ok"] * 2
    assert marked(mark) == []
    assert list(folders.iterdir()) == []


def installs(interpreter: str) -> bool:
    """Whether the client can be installed for this interpreter, and it is one that Faultlayer supports."""
    question = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))"
    return os.access(interpreter, os.X_OK) and subprocess.run([interpreter, "-c", question]).returncode == 0


@pytest.mark.skipif(
    os.getuid() != 0, reason="only root can become somebody else; the other tests run as nobody special"
)
def test_no_root_is_needed(folders: Path) -> None:
    nobody = 65534
    with tempfile.TemporaryDirectory(dir="/tmp") as shared:
        os.chmod(shared, 0o755)
        own = Path(shared, "own")
        own.mkdir()
        os.chown(own, nobody, nobody)
        shutil.copy(COMMAND, shared)
        shutil.copytree(SAMPLE, Path(shared, "code"))
        python = next((path for path in ("/usr/bin/python3", "/usr/local/bin/python3") if installs(path)), None)
        if python is None:
            pytest.skip("no interpreter with venv outside root's own folders")
        done = subprocess.run(
            [
                str(Path(shared, COMMAND.name)),
                "run",
                "--runtime",
                "python",
                "--interpreter",
                python,
                "--json",
                "--code",
                str(Path(shared, "code")),
                "--handler",
                "app.handler",
                "-n",
                "3",
            ],
            capture_output=True,
            encoding="utf-8",
            env={"PATH": "/usr/bin:/bin", "HOME": str(own), "TMPDIR": str(own)},
            user=nobody,
            group=nobody,
            extra_groups=[],
            cwd=shared,
        )
        assert done.returncode == 0, done.stderr
        assert outcomes(json.loads(done.stdout)) == ["ok"] * 3
