"""How many instructions the engine's paths and one crossing of each language take, beside those that are kept.

    python3 bench/instructions/count.py [--prepare | --update]

Valgrind counts them, so that they are the same from run to run whatever else the machine does: no wall clock gates a
change. Each program says the names of its paths as JSON, then calls `getppid` before each of them and at the end, and
callgrind parts its counts there. A count is that of the whole process: of a crossing, what a call takes more than the
bare handler's. Node and Java interpret here, since what their compilers do, and when, is theirs.

Counts that another compiler, C library or interpreter makes are others: those are skipped, by name. What was counted of
the same files, by the same releases, is not counted again, and says so.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import places  # noqa: E402

KEPT = HERE.parent / "instructions.json"
SEEN = places.CACHE / "counted.json"
MOST_WORSE = 0.03
MARK = "getppid"

Counts = dict[str, float]


def marked(command: list[str], calls: int, **variables: str) -> Counts:
    """By path, the instructions of one of its calls."""
    with tempfile.TemporaryDirectory() as folder:
        # Where memory lies changes what hashing and copying take; so does what the environment holds.
        pinned = [setarch, "-R"] if (setarch := shutil.which("setarch")) else []
        valgrind = ["valgrind", "--tool=callgrind", "--smc-check=all-non-file", f"--dump-before={MARK}"]
        told = subprocess.run(
            [*pinned, *valgrind, f"--callgrind-out-file={folder}/counts", *command],
            env={"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", **variables},
            capture_output=True,
            text=True,
        )
        if told.returncode:
            raise RuntimeError(f"{command[0]} ended with {told.returncode}:\n{told.stdout}{told.stderr}")
        names = json.loads(next(line for line in told.stdout.splitlines() if line.startswith("[")))
        # One before the first mark, one of each path; the last is the program's own.
        dumps = [Path(folder, f"counts.{number + 2}") for number in range(len(names))]
        if not all(dump.exists() for dump in dumps) or Path(folder, f"counts.{len(names) + 2}").exists():
            raise RuntimeError(f"{command[0]} has not one mark for each of {names}")
        totals = [re.search(r"^totals: (\d+)", dump.read_text(), re.MULTILINE) for dump in dumps]
        return {name: int(total[1]) / calls for name, total in zip(names, totals, strict=True) if total}


def added(counts: Counts) -> Counts:
    """What the other paths take more than the first."""
    [(_, bare), *others] = counts.items()
    return {name: count - bare for name, count in others}


def engine() -> Counts:
    return marked([str(places.engine()), "marked", "1000"], 1000)


def python() -> Counts:
    command = [sys.executable, "-S", "-E", str(HERE / "crossing.py"), str(places.layer("python")), "2000"]
    return added(marked(command, 2000))


def node() -> Counts:
    steady = ["--jitless", "--single-threaded", "--predictable", "--hash-seed=1", "--random-seed=1"]
    command = [found("node"), *steady, str(HERE / "crossing.cjs"), str(places.layer("node")), "1000"]
    return added(marked(command, 1000))


def java() -> Counts:
    agent = places.layer("java") / "faultlayer" / "faultlayer-agent.jar"
    steady = ["-Xint", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-Xmx256m"]
    program = ["-cp", places.java_class_path(), "bench.Calls", "300"]
    with_layer = marked(
        [found("java"), *steady, f"-javaagent:{agent}", *program], 300, FAULTLAYER_PLAN=places.NONE_DRAWN
    )
    bare = marked([found("java"), *steady, *program], 300)
    return {"a crossing, none drawn, faults: 7": with_layer["warm call"] - bare["warm call"]}


def found(tool: str) -> str:
    """The file itself: through a link a JVM starts itself again, in a process that is not counted."""
    return str(Path(shutil.which(tool) or tool).resolve())


def made_by() -> dict[str, str]:
    rustc = places.version("rustc", "--version")
    return {"rustc": rustc, "libc": " ".join(platform.libc_ver()), "machine": platform.machine()}


JAVA = [*sorted((HERE.parent / "java/src/main/java/bench").glob("*.java")), HERE.parent / "java/client.xml"]
# What is counted, by whose release a count changes too, what has to be there, and the files that are run.
COUNTED: dict[str, tuple[Callable[[], Counts], Callable[[], str], str, Callable[[], list[Path]]]] = {
    "engine": (engine, lambda: "", "cargo", lambda: [places.engine()]),
    "python": (python, lambda: sys.version, "python3", lambda: [places.archive("python")]),
    "node": (node, lambda: places.version("node", "--version"), "node", lambda: [places.archive("node")]),
    "java": (java, lambda: places.version("java", "--version"), "javac", lambda: [places.archive("java"), *JAVA]),
}


def inputs(name: str) -> str:
    """All that a count depends on, as one hash: the count of the same is the same."""
    _, release, _, files = COUNTED[name]
    valgrind = places.version("valgrind", "--version")
    parts = [json.dumps([made_by(), release(), valgrind]).encode()]
    own = sorted(path for path in HERE.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    parts += [path.read_bytes() for path in [*own, HERE.parent / "places.py", *files()]]
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def compared(name: str, counts: Counts, kept: Counts) -> list[str]:
    """What is wrong, after saying what is there."""
    wrong = []
    for path in sorted(counts.keys() | kept.keys()):
        before, now = kept.get(path), counts.get(path)
        if before is None or now is None:
            wrong.append(f"{name}, {path}: {'not kept yet' if before is None else 'kept, but not counted any more'}")
            continue
        line = f"{name}, {path}: {before:,.0f} instructions were kept, now {now:,.0f} ({now / before - 1:+.1%})"
        print(line)
        if now > before * (1 + MOST_WORSE):
            wrong.append(f"{line}, more than {MOST_WORSE:.0%} worse")
    return wrong


def here(kept: dict[str, Any], update: bool) -> dict[str, str]:
    """What can be counted here, and by which release of its language; says what cannot."""
    if not update and kept["made_by"] != made_by():
        print(f"skipped: instruction counts: kept for {kept['made_by']}, this is {made_by()}")
        return {}
    found = {}
    for name, (_, release, tool, _) in COUNTED.items():
        if not shutil.which(tool):
            print(f"skipped: instruction counts of {name}: {tool}")
        elif not update and kept[name]["of"] != release():
            print(f"skipped: instruction counts of {name}: kept for {kept[name]['of']}, this is {release()}")
        else:
            found[name] = release()
    return found


def counted(names: Iterable[str]) -> dict[str, Counts]:
    """The counts, two languages beside each other: the longest first."""
    with ThreadPoolExecutor(2) as pool:
        under_way = {name: pool.submit(COUNTED[name][0]) for name in reversed(list(names))}
        return {name: under_way[name].result() for name in names}


def remembered(names: Iterable[str]) -> dict[str, Counts]:
    """The counts, of what was counted before from then."""
    of = {name: inputs(name) for name in names}
    seen = json.loads(SEEN.read_text()) if SEEN.exists() else {}
    new = [name for name in of if seen.get(name, {}).get("of") != of[name]]
    if old := [name for name in of if name not in new]:
        print(f"counted before, of the same files: {', '.join(old)}")
    if new:
        seen |= {name: {"of": of[name], "counts": counts} for name, counts in counted(new).items()}
        SEEN.parent.mkdir(parents=True, exist_ok=True)
        partial = SEEN.with_suffix(".partial")
        partial.write_text(json.dumps(seen, indent=2) + "\n")
        partial.replace(SEEN)
    return {name: seen[name]["counts"] for name in of}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true", help="keep the counts of now")
    parser.add_argument("--prepare", action="store_true", help="build what is counted, and count nothing")
    options = parser.parse_args()
    if options.prepare:
        places.engine()
        if shutil.which("javac"):
            places.java_class_path()
        return 0
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    releases = here(kept, options.update)
    counts = counted(releases) if options.update else remembered(releases)
    if options.update:
        rounded = {name: {path: round(count) for path, count in paths.items()} for name, paths in counts.items()}
        languages = {name: {"of": of, "instructions": rounded[name]} for name, of in releases.items()}
        KEPT.write_text(json.dumps({**kept, "made_by": made_by(), **languages}, indent=2) + "\n")
        return 0
    wrong = [line for name, paths in counts.items() for line in compared(name, paths, kept[name]["instructions"])]
    for line in wrong:
        print(line, file=sys.stderr)
    if wrong:
        print("if it has to be: `make instructions` keeps the counts of now", file=sys.stderr)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
