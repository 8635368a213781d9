"""`faultlayer experiment start` with a load, on functions named by a tag, in a terminal: nothing is left however it ends."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyte
import pytest

from client import Lab, command, until
from reported import SPAN
from test_cloudwatch import metric
from test_fis import automation, environment, run
from test_report import functions as functions
from test_report import made_of

COLUMNS, LINES = 100, 40


def invocations(lab: Lab) -> float:
    return sum(metric(lab, "Invocations", "Sum", name) for name in ("one", "two"))


def tagged(lab: Lab, **hold: str) -> str:
    """A template that names its functions by a tag."""
    for name in ("one", "two"):
        arn = lab.functions.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
        lab.functions.tag_resource(Resource=arn, Tags={"team": "pay"})
    return made_of(lab, automation(**{"Hold": "PT6S", **hold}, TagKey="team", TagValue="pay"))


def test_a_load_of_the_commands_own_calls_the_functions_that_have_the_tag(functions: Lab, tmp_path: Path) -> None:
    (tmp_path / "event.json").write_text('{"hit": true,\n "fail": true}')
    rate = ("--rate", "20/s", "--event", str(tmp_path / "event.json"))
    before = invocations(functions)
    done = run(functions, "start", tagged(functions), *SPAN, *rate, "--settle", "0s", "--expect", "errors > 90%", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert [phase["calls"] > 0 for phase in report["phases"]] == [True] * 3
    assert report["faults"][0]["injected"] > 0
    # In turn.
    one, two = report["functions"]
    assert (one["name"], two["name"]) == ("one", "two")
    assert abs(one["calls"] - two["calls"]) <= 4
    assert any("by the tag `team=pay`" in note for note in report["notes"])
    said = re.search(r"^load: (\d+) calls, (\d+) failed$", done.stderr, re.MULTILINE)
    assert said, done.stderr
    calls, failed = map(int, said.groups())
    assert calls == failed
    assert 20 * 8 < calls <= 20 * 60
    # Nothing calls them any more; a few were under way when it ended.
    time.sleep(1)
    counted = invocations(functions)
    assert calls <= counted - before <= calls + 10
    time.sleep(1)
    assert invocations(functions) == counted


def test_a_load_that_is_refused_starts_nothing(functions: Lab) -> None:
    template = tagged(functions)
    gone = run(functions, "start", template, *SPAN, "--rate", "10/s", "--function", "nobody")
    assert gone.returncode == 2
    assert "load: no call was taken: " in gone.stderr
    assert "ResourceNotFoundException" in gone.stderr
    assert "nothing was started" in gone.stderr
    assert functions.client("fis").list_experiments()["experiments"] == []
    for wrong in (("--rate", "0/s"), ("--rate", "9"), ("--event", "x"), ("--rate", "1/s", "--load", "true")):
        assert run(functions, "start", template, *wrong).returncode == 2


@contextmanager
def loaded(lab: Lab, folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The command while its load runs, before the experiment; and a process that the load has started."""
    load = f"sleep 1000 & echo $! > {folder}/part; mv {folder}/part {folder}/child; trap '' TERM INT; wait; sleep 1000"
    begin = [command(), "experiment", "start", tagged(lab), "--around", "1m", "--load", load]
    with subprocess.Popen(begin, env=environment(lab), stderr=subprocess.DEVNULL) as process:
        try:
            child = until(lambda: (folder / "child").is_file() and (folder / "child").read_text(), bool)
            yield process, int(child)
        finally:
            process.kill()


def is_there(process: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_load_ends_with_the_command_whatever_ends_that(functions: Lab, tmp_path: Path, how: signal.Signals) -> None:
    with loaded(functions, tmp_path) as (process, child):
        assert is_there(child)
        process.send_signal(how)
        process.wait(20)
        until(lambda: is_there(child), lambda there: not there)
    assert functions.client("fis").list_experiments()["experiments"] == []


class Terminal:
    """A command in a terminal, and what stands on its screen."""

    def __init__(self, lab: Lab, *arguments: str, **more: str) -> None:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        self.process = subprocess.Popen(
            [command(), "experiment", *arguments],
            env={**environment(lab), "TERM": "xterm-256color", **more},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        self.ours = ours
        self.raw = b""
        self.screen = pyte.Screen(COLUMNS, LINES)
        self.stream = pyte.ByteStream(self.screen)

    def read(self) -> bool:
        """Takes in what comes next; whether there was anything."""
        try:
            more = os.read(self.ours, 65536)
        except OSError:
            return False
        self.raw += more
        self.stream.feed(more)
        return bool(more)

    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.screen.display if line.strip()]

    def ended(self) -> int:
        while self.read():
            pass
        os.close(self.ours)
        return self.process.wait()


def test_a_terminal_shows_what_is_going_on_below_the_lines_of_what_was(functions: Lab, tmp_path: Path) -> None:
    (tmp_path / "event.json").write_text('{"hit": true, "fail": true}')
    rate = ("--rate", "20/s", "--event", str(tmp_path / "event.json"), "--settle", "0s")
    names = ["one", "two"]
    template = made_of(functions, automation(Hold="PT14S", FunctionNames=names))
    terminal = Terminal(functions, "start", template, *SPAN, *rate)
    wanted = [
        r"^. running · Hold",
        r"^  functions  ─+ 0 of 2 attached$",
        r"^  injected   slow \d+$",
        r"^  errors     \d+ of \d+ calls failed in the last minute$",
        r"^  load       \d+ calls, \d+ failed$",
    ]
    whole: list[str] = []
    while terminal.read():
        lines = terminal.lines()
        found = [next((line for line in lines if re.search(each, line)), None) for each in wanted]
        if all(found):
            whole = lines
    os.close(terminal.ours)
    assert terminal.process.wait() == 0, terminal.raw.decode()
    assert whole, terminal.raw.decode()
    # What is going on stands below what was.
    live = [next(at for at, line in enumerate(whole) if re.search(each, line)) for each in wanted]
    assert live == list(range(len(whole) - len(wanted), len(whole)))
    assert whole.index("experiment  running: Experiment is running.") < live[0]
    # It is taken off in the end; the lines and the report stay.
    left = terminal.lines()
    assert not any(re.search(each, line) for each in wanted for line in left)
    assert b"\x1b[31m" in terminal.raw, "errors are red"


@pytest.mark.parametrize("plain", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_that_wants_it_plain_gets_lines_alone(functions: Lab, plain: dict[str, str]) -> None:
    template = made_of(functions, automation(Hold="PT1S", FunctionNames=["one"]))
    terminal = Terminal(functions, "start", template, **plain)
    assert terminal.ended() == 0, terminal.raw.decode()
    assert b"\x1b" not in terminal.raw
    lines = terminal.raw.decode().split("\r\n")
    for state in ("  faults    running", "experiment  completed"):
        assert any(line.startswith(state) for line in lines), lines
