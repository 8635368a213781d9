"""The mission without an account: the commands of fis/README.md, typed by the AWS command line into the lab.

    python tools/demo_account.py FAULTLAYER PAGE STACK_JSON

With the Python of the lab's tests, which has boto3 and the AWS command line. Deploys the stack, starts the shipped template
of each language that is there, invokes its sample function before, during and after from a process of its own, and prints
what callers saw and whether the function's configuration is what it was; then cleans up. Exit status 1 where anything of
that is not so.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CALLS = 40
# Five minutes of holding pass in fifteen seconds.
SPEED = 20
STACK = "demo"
LANGUAGES = {"Python": "python", "Node": "node", "Java": "java"}

# What another process does: it knows the function's name and nothing of Faultlayer but how its records look.
CALLER = f"""
import base64, boto3, json, sys
client = boto3.client("lambda")
seen = dict(ok=0, errors=0, slow=0, records=0)
for _ in range({CALLS}):
    answer = client.invoke(FunctionName=sys.argv[1], Payload="{{}}", LogType="Tail")
    seen["errors" if "FunctionError" in answer else "ok"] += 1
    log = base64.b64decode(answer["LogResult"]).decode(errors="replace")
    records = [line for line in log.splitlines() if '"source":"faultlayer"' in line and '"action":"injected"' in line]
    seen["records"] += len(records)
    seen["slow"] += any('"kind":"latency"' in record for record in records)
print(json.dumps(seen))
"""


class Trouble(Exception):
    """What did not go as the page says."""


def environment(endpoint: str, region: str, *programs: Path) -> dict[str, str]:
    """This process's own, with the lab for AWS and the folders of `programs` first on the path."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {
        "PATH": os.pathsep.join([*map(str, programs), os.environ["PATH"]]),
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": "lab",
        "AWS_SECRET_ACCESS_KEY": "lab",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_PAGER": "",
    }


def with_variables(script: str, **variables: str) -> str:
    """A script of the page with other values of the variables at its top; those that it does not set stand before it."""
    for name, value in variables.items():
        line = f"{name}={shlex.quote(value)}"
        script, changed = re.subn(rf'^{name}=("[^"]*"|\S+)', line.replace("\\", r"\\"), script, flags=re.MULTILINE)
        script = script if changed else f"{line}\n{script}"
    return script


@dataclass
class Shell:
    """Types what the page says, with the variables at its top set to ours."""

    page: dict[str, list[str]]
    environment: dict[str, str]
    folder: Path

    def block(self, heading: str, number: int, then: str = "", **variables: str) -> str:
        """Runs one block of a heading, and in the same shell what comes `then`; the output."""
        return self.type(f"{with_variables(self.page[heading][number], **variables)}\n{then}")

    def type(self, script: str) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Trouble(f"{script.strip()}\n{done.stdout}{done.stderr}")
        return done.stdout

    def aws(self, *arguments: str) -> Any:
        return json.loads(self.type(shlex.join(["aws", *arguments])) or "null")


@dataclass
class Run:
    """One language's experiment."""

    language: str
    function: str
    before: dict[str, Any] = field(default_factory=dict)
    seen: dict[str, dict[str, int]] = field(default_factory=dict)


# What the page builds, and whoever calls this has built already.
BUILD = "make stack cli\nPATH=$PWD/target/release:$PATH\n"


def blocks(page: str) -> dict[str, list[str]]:
    """The shell blocks of a page, by the heading they stand under, without what builds."""
    if page.count(BUILD) != 1:
        raise Trouble(f"the page is to say once: {BUILD}")
    page = page.replace(BUILD, "")
    found: dict[str, list[str]] = {}
    for section in re.split(r"^## ", page, flags=re.MULTILINE)[1:]:
        heading, _, text = section.partition("\n")
        found[heading.strip()] = re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return found


def samples() -> dict[str, str]:
    """The runtimes of the sample functions, as this machine has them; a language that it lacks keeps the stack's default."""
    asked = {"Python": ["python3", "--version"], "Node": ["node", "--version"], "Java": ["java", "-version"]}
    runtimes = {"Python": r"python\g<1>.\g<2>", "Node": r"nodejs\g<1>.x", "Java": r"java\g<1>"}
    found = {}
    for language, command in asked.items():
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            continue
        if version := re.search(r"(\d+)(?:\.(\d+))?", done.stdout + done.stderr):
            found[f"{language}Runtime"] = version.expand(runtimes[language])
    return found


def until(look: Callable[[], Any], what: str, limit_s: float = 180) -> Any:
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.3)
    raise Trouble(f"{what}: not within {limit_s:.0f} s")


def call(shell: Shell, run: Run, moment: str) -> None:
    command = [sys.executable, "-c", CALLER, run.function]
    run.seen[moment] = json.loads(subprocess.run(command, env=shell.environment, capture_output=True, text=True, check=True).stdout)


def configuration(shell: Shell, function: str) -> dict[str, Any]:
    """What of a configuration is the user's: all but what every update changes."""
    found = shell.aws("lambda", "get-function-configuration", "--function-name", function)
    return {key: value for key, value in found.items() if key not in ("LastModified", "RevisionId")}


def experiment(shell: Shell, run: Run) -> bool:
    """Before, during, after; whether all is as it was."""
    run.before = configuration(shell, run.function)
    call(shell, run, "before")
    said = shell.block(
        "Run an experiment",
        0,
        "echo $experiment",
        STACK=STACK,
        TEMPLATE=f"{run.language}Template",
        FUNCTION=run.function,
    )
    look = ["fis", "get-experiment", "--id", said.split()[-1], "--query", "experiment.state"]
    until(
        lambda: any(f":layer:{STACK}-" in layer["Arn"] for layer in layers(shell, run.function)),
        f"{run.function} is attached",
    )
    shell.type(f"aws lambda wait function-updated-v2 --function-name {run.function}")
    call(shell, run, "during")
    ended = until(
        lambda: (state := shell.aws(*look))["status"] in ("completed", "stopped", "failed") and state,
        "the experiment's end",
    )
    if ended["status"] != "completed":
        raise Trouble(f"{run.function}: the experiment ended {ended['status']}: {ended.get('reason')}")
    call(shell, run, "after")
    return configuration(shell, run.function) == run.before


def layers(shell: Shell, function: str) -> list[dict[str, Any]]:
    return list(shell.aws("lambda", "get-function-configuration", "--function-name", function, "--query", "Layers || `[]`"))


def show(run: Run, restored: bool) -> str:
    cells = [f"{run.function:<12}"]
    for moment in ("before", "during", "after"):
        seen = run.seen[moment]
        cells.append(f"{seen['ok']:>2} ok {seen['errors']:>2} failed {seen['slow']:>2} slowed".ljust(28))
    return "  ".join([*cells, "as before" if restored else "CHANGED"])


def main(command: str, page: Path, stack: Path) -> int:
    with tempfile.TemporaryDirectory(prefix="faultlayer-demo-") as name:
        folder = Path(name)
        lab = subprocess.Popen(
            [command, "lab", "--json", "--state", str(folder / "lab"), "--speed", str(SPEED)],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert lab.stdout is not None
            place = json.loads(lab.stdout.readline())
            return mission(place["endpoint"], place["region"], folder, page, stack)
        except Trouble as trouble:
            print(f"demo: {trouble}", file=sys.stderr)
            return 1
        finally:
            lab.terminate()
            lab.wait()


def mission(endpoint: str, region: str, folder: Path, page: Path, stack: Path) -> int:
    (folder / "dist").symlink_to(stack.parent.resolve())
    own = environment(endpoint, region, Path(sys.executable).parent)
    shell = Shell(blocks(page.read_text(encoding="utf-8")), own, folder)
    print(f"the lab is AWS here: {endpoint}; the commands are those of fis/README.md", flush=True)
    shell.type("aws s3 mb s3://demo-bucket")
    parameters = " ".join(f"{key}={value}" for key, value in samples().items())
    shell.block("Deploy", 0, STACK=STACK, BUCKET="demo-bucket", PARAMETERS=parameters)
    outputs = {row["OutputKey"] for row in shell.aws("cloudformation", "describe-stacks", "--query", "Stacks[0].Outputs")}
    print(f"deployed: the stack `{STACK}` with {len(outputs)} outputs", flush=True)
    print(f"\n{'':<14}{'before':<30}{'during':<30}{'after':<30}configuration", flush=True)
    whole = True
    for language, key in LANGUAGES.items():
        if f"{language}Template" not in outputs:
            print(f"{STACK}-{key}: skipped, its layer or sample was not built")
            continue
        run = Run(language, f"{STACK}-{key}")
        restored = experiment(shell, run)
        print(show(run, restored), flush=True)
        quiet = all(run.seen[moment]["errors"] + run.seen[moment]["records"] == 0 for moment in ("before", "after"))
        whole &= restored and quiet and run.seen["during"]["records"] > 0
    shell.block("Clean up", 0, STACK=STACK)
    left = shell.aws("lambda", "list-functions", "--query", "Functions[].FunctionName")
    print(f"\nrolled back and deleted; functions that are left: {len(left)}")
    return 0 if whole and not left else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))
