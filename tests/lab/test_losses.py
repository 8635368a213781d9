"""What the lab answered is never lost: kill -9, a full disk and torn writes, round after round on one state folder.

`FAULTLAYER_LAB_ROUNDS` says how many rounds each has; `make sweep-lab` runs 200.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import random
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from client import Lab, archive
from documents import document, sleep

ROUNDS = int(os.environ.get("FAULTLAYER_LAB_ROUNDS", "4"))
WRITERS = 4
# The longest name that Parameter Store takes, its ARN counted, and names that file systems would not like.
LONG = "/" + "/".join(["a" * 64] * 14)
NAMES = [LONG, "/A/b.c", "plain", "/..b/.c", "/" + "-" * 250]


class Gone(Exception):
    """The connection broke: whether the request took effect is not known."""


def send(lab: Lab, method: str, path: str, body: Any, target: str | None = None) -> tuple[int, Any]:
    """One request without a client's retries; its status and answer."""
    host = lab.url.removeprefix("http://")
    headers = {"X-Amz-Target": f"AmazonSSM.{target}", "Content-Type": "application/x-amz-json-1.1"} if target else {}
    connection = http.client.HTTPConnection(host, timeout=30)
    try:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Gone from error
    finally:
        connection.close()


def ssm(lab: Lab, operation: str, **body: Any) -> tuple[int, Any]:
    return send(lab, "POST", "/", body, operation)


class Thing:
    """Something that a writer writes again and again, each time with a larger number."""

    def __init__(self, name: str) -> None:
        self.name = name

    def write(self, lab: Lab, number: int) -> int:
        raise NotImplementedError

    def read(self, lab: Lab) -> int | None:
        raise NotImplementedError


class Parameter(Thing):
    def write(self, lab: Lab, number: int) -> int:
        if number % 7 == 6:
            ssm(lab, "AddTagsToResource", ResourceType="Parameter", ResourceId=self.name, Tags=[{"Key": "k", "Value": "v"}])
        return ssm(lab, "PutParameter", Name=self.name, Value=f"{number}" + " " * 3000, Type="String", Overwrite=True)[0]

    def read(self, lab: Lab) -> int | None:
        status, answer = ssm(lab, "GetParameter", Name=self.name)
        return int(answer["Parameter"]["Value"]) if status == 200 else None


class Document(Thing):
    def write(self, lab: Lab, number: int) -> int:
        tags = [{"Key": "number", "Value": str(number)}]
        status, _ = ssm(lab, "AddTagsToResource", ResourceType="Document", ResourceId=self.name, Tags=tags)
        if status == 400:
            content = json.dumps(document(sleep("hold", "PT1S")))
            status, _ = ssm(lab, "CreateDocument", Name=self.name, DocumentType="Automation", Content=content, Tags=tags)
        return status

    def read(self, lab: Lab) -> int | None:
        status, answer = ssm(lab, "ListTagsForResource", ResourceType="Document", ResourceId=self.name)
        return int(answer["TagList"][0]["Value"]) if status == 200 else None


class Function(Thing):
    code = base64.b64encode(archive(app="def handler(event, context):\n    return event\n")).decode()

    def write(self, lab: Lab, number: int) -> int:
        fields = {"Description": str(number)}
        status, _ = send(lab, "PUT", f"/2015-03-31/functions/{self.name}/configuration", fields)
        if status == 404:
            fields |= {"Runtime": "python3.12", "Handler": "app.handler", "Role": "arn:aws:iam::123456789012:role/r"}
            fields |= {"FunctionName": self.name, "Code": {"ZipFile": self.code}}  # type: ignore[dict-item]
            status, _ = send(lab, "POST", "/2015-03-31/functions", fields)
        return status

    def read(self, lab: Lab) -> int | None:
        status, answer = send(lab, "GET", f"/2015-03-31/functions/{self.name}/configuration", None)
        return int(answer["Description"]) if status == 200 else None


class Ledger:
    """What was answered of one thing, and what may have taken effect without an answer."""

    def __init__(self, thing: Thing) -> None:
        self.thing = thing
        self.known: int | None = None
        self.open: int | None = None
        self.next = 0
        self.refused = 0

    def write(self, lab: Lab) -> None:
        """The next number; a connection that breaks leaves it open."""
        self.open, self.next = self.next, self.next + 1
        status = self.thing.write(lab, self.open)
        if status < 300:
            self.known = self.open
        else:
            self.refused += 1
        self.open = None

    def check(self, lab: Lab) -> None:
        seen = self.thing.read(lab)
        assert seen in {self.known, self.open if self.open is not None else self.known}, (
            f"{self.thing.name}: {self.known} was answered, {self.open} was on its way, {seen} is there"
        )
        self.known, self.open = seen, None


def ledgers() -> list[Ledger]:
    things: list[Thing] = [Parameter(name) for name in NAMES]
    things += [Function("one"), Function("two"), Document("Document")]
    return [Ledger(thing) for thing in things]


def writing(lab: Lab, all_: list[Ledger]) -> Callable[[], None]:
    """Lets writers begin; the answer waits until all of them have met the end of the lab, or stops them."""
    stop = threading.Event()

    def work(mine: list[Ledger]) -> None:
        try:
            while not stop.is_set():
                for ledger in mine:
                    ledger.write(lab)
        except Gone:
            return

    threads = [threading.Thread(target=work, args=(all_[number::WRITERS],)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()

    def end() -> None:
        stop.set()
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()

    return end


def begin(labs: list[Lab], state: Path) -> Lab:
    lab = Lab(state)
    labs.append(lab)
    lab.settings(update_ms=0, rates=0)
    return lab


def killed(lab: Lab, end: Callable[[], None]) -> None:
    lab.kill()
    end()
    assert lab.process.stdout is not None
    lab.process.stdout.close()


def test_nothing_is_lost_by_kills(labs: list[Lab], tmp_path: Path) -> None:
    all_, chance = ledgers(), random.Random(1)
    for _ in range(ROUNDS):
        lab = begin(labs, tmp_path)
        for ledger in all_:
            ledger.check(lab)
        end = writing(lab, all_)
        time.sleep(chance.uniform(0.05, 0.6))
        killed(lab, end)
    lab = begin(labs, tmp_path)
    for ledger in all_:
        ledger.check(lab)
    assert sum(ledger.next for ledger in all_) > ROUNDS * WRITERS


def torn(state: Path, chance: random.Random) -> str:
    """What a machine may leave that stopped in the middle of writing: halves of files; the name of the parameter that has one."""
    for table in ["ssm/parameters", "lambda/functions", "ssm/documents"]:
        for file in sorted((state / table).glob("*.json")):
            text = file.read_bytes()
            half = text[: chance.randrange(len(text))]
            (file.parent / f"{file.name}.{chance.randrange(10**9)}.new").write_bytes(half)
    log = state / "calls.jsonl"
    with log.open("r+b") as out:
        out.truncate(max(0, log.stat().st_size - chance.randrange(1, 200)))
    folder = state / "lambda/code" / f"unpacked.{chance.randrange(10**9)}.new"
    folder.mkdir(parents=True)
    (folder / "half.py").write_text("def han")
    return "plain"


def test_nothing_but_the_torn_file_is_lost_by_torn_writes(
    labs: list[Lab], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    all_, chance = ledgers(), random.Random(2)
    victim = next(ledger for ledger in all_ if ledger.thing.name == "plain")
    for round_ in range(ROUNDS):
        lab = begin(labs, tmp_path)
        for ledger in all_:
            ledger.check(lab)
        assert lab.ask("GET", "")["set_aside"] == []
        while victim.known is None:
            victim.write(lab)
        end = writing(lab, all_)
        time.sleep(chance.uniform(0.05, 0.3))
        killed(lab, end)
        torn(tmp_path, chance)
        file = tmp_path / "ssm/parameters/plain.json"
        text = file.read_bytes()
        file.write_bytes(text[: chance.randrange(len(text) - 1)] if round_ % 2 else os.urandom(50))
        capfd.readouterr()
        lab = begin(labs, tmp_path)
        aside = f"{file}.broken"
        assert lab.ask("GET", "")["set_aside"] == [aside]
        assert aside in capfd.readouterr().err, "the file is named"
        assert not list(tmp_path.glob("*/*/*.new")), "halves are gone"
        victim.known = victim.open = None
        for ledger in all_:
            ledger.check(lab)
        rows = lab.ask("GET", "/calls?since=1")["calls"]
        numbers = [row["seq"] for row in rows]
        assert numbers == sorted(set(numbers)), "rows of the log are whole and counted on"
        lab.kill()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("a small disk needs the right to mount one")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Leave nothing free."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as out:
        for size in (65536, 4096, 512, 1):
            try:
                while True:
                    out.write(b"x" * size)
            except OSError:
                continue
    return ballast


def test_nothing_is_lost_on_a_full_disk(labs: list[Lab], small_disk: Path) -> None:
    state, all_, chance = small_disk / "state", ledgers(), random.Random(3)
    for round_ in range(ROUNDS):
        lab = begin(labs, state)
        for ledger in all_:
            ledger.check(lab)
        before = [ledger.refused for ledger in all_]
        end = writing(lab, all_)
        time.sleep(chance.uniform(0.05, 0.2))
        ballast = fill(small_disk)
        time.sleep(chance.uniform(0.05, 0.3))
        if round_ % 2:
            # Killed while the disk is full.
            killed(lab, end)
            ballast.unlink()
        else:
            end()
            for ledger in all_:
                ledger.check(lab)
            assert sum(ledger.refused for ledger in all_) > sum(before), "what cannot be kept is refused"
            assert not list(state.glob("*/*/*.new")), "what was refused leaves nothing"
            ballast.unlink()
            for ledger in all_:
                ledger.write(lab)
                assert ledger.known == ledger.next - 1, "with space again everything works"
            killed(lab, lambda: None)
        # The log has no bound of its own; this disk has.
        (state / "calls.jsonl").unlink()
    lab = begin(labs, state)
    for ledger in all_:
        ledger.check(lab)
