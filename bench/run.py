"""Measures what Faultlayer costs, beside its peers: every row in one run, or one of them.

    python3 bench/run.py [NAME …] [--quick] [--out bench/results.json]

Each row measures its kinds in turns, so that a busy machine is busy for all; the results have every figure's median,
quartiles and number. What cannot be had here is skipped by name. `--quick` shows that all of it works, and its figures
mean nothing. `table.py` makes the README's table and chart of the results.
"""

from __future__ import annotations

import argparse
import datetime
import importlib
import json
import os
import platform
import re
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import peers  # noqa: E402
import places  # noqa: E402
from figures import Figures  # noqa: E402

# In the order of the table; what takes longest comes last.
ROWS = {
    "calls-python": "a call in Python",
    "calls-node": "a call in Node",
    "calls-java": "a call in Java",
    "aws-calls": "a call to AWS that is not hit",
    "connections": "connections, where a plan names a host",
    "round-trip": "an invocation through the real client",
    "live": "an invocation under a plan from a place",
    "starts": "cold starts and memory",
    "delays": "precision of a delay",
    "engine": "the engine",
    "patterns": "patterns beside event-ruler",
    "records": "bytes of log",
    "lab": "the lab",
    "run": "faultlayer run",
    "fleet": "many functions",
    "fleet-1000": "a thousand functions",
}

# What takes as long as all others together is measured where it is asked for by its name.
BY_NAME = {"fleet-1000"}


def machine() -> dict[str, Any]:
    about = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    model = re.search(r"model name\s*: (.*)", about)
    load = os.getloadavg()
    return {
        "processor": model[1] if model else platform.processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "libc": " ".join(platform.libc_ver()),
        "load_before": [round(each, 2) for each in load],
    }


def now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")


def commit() -> dict[str, str]:
    """None of a tree without its history."""
    found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=places.ROOT, capture_output=True, text=True).stdout.strip()
    return {"commit": found} if found else {}


def versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for tool, option in {"rustc": "--version", "node": "--version", "java": "--version"}.items():
        try:
            found[tool] = places.version(peers.tool(tool), option)
        except peers.Missing:
            continue
    return found | {"peers": ", ".join([*peers.PYTHON, *peers.NODE])}


def row(name: str, quick: bool) -> dict[str, Any]:
    begun = time.perf_counter()
    figures: Figures
    try:
        figures = importlib.import_module(f"rows.{name.replace('-', '_')}").measure(quick)
    except peers.Missing as missing:
        figures = Figures()
        figures.skip("all of it", str(missing))
    return {"what": ROWS[name], "seconds": round(time.perf_counter() - begun, 1), **asdict(figures)}


def tell(name: str, measured: dict[str, Any]) -> None:
    print(f"\n{name}: {measured['what']} ({measured['seconds']} s)")
    for what, figure in measured["figures"].items():
        spread = f"{figure['p25']:,.2f} to {figure['p75']:,.2f}, n {figure['n']}" if figure["n"] > 1 else ""
        print(f"  {what:<62}{figure['median']:>14,.2f} {figure['unit']:<16} {spread}")
    for what, why in measured["skipped"].items():
        print(f"  skipped: {what}: {why}")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[*ROWS, []], metavar="NAME", help=", ".join(ROWS))
    parser.add_argument("--quick", action="store_true", help="see whether it works")
    parser.add_argument("--out", type=Path, help="where the results go; those of other rows stay")
    options = parser.parse_args()
    names = options.names or [name for name in ROWS if name not in BY_NAME]
    kept = json.loads(options.out.read_text()) if options.out and options.out.exists() and options.names else {}
    command = f"make {' '.join(f'bench-{name}' for name in options.names) or 'bench'}"
    # Of a row measured anew among others the table is still theirs; each says when, by what, and of which commit.
    about = {"date": now(), "command": command, "machine": machine(), "versions": versions(), "rows": {}}
    results = {**about, **kept, "quick": options.quick}
    failed = []
    for name in names:
        try:
            results["rows"][name] = {"date": now(), "command": command, **commit(), **row(name, options.quick)}
            tell(name, results["rows"][name])
        except Exception as error:
            # The other rows are worth having all the same.
            failed.append(name)
            print(f"\n{name} failed: {error!r}", file=sys.stderr)
    if options.out:
        options.out.write_text(json.dumps(results, indent=1) + "\n")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
