"""A panic inside the engine of each layer as it is shipped: the function runs untouched, and one record says so."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from function import COMMAND, ROOT, Function, logged, outcomes

MACHINE = "arm64" if platform.machine() == "aarch64" else "x86_64"
SAMPLES = {
    "python": ("examples/python", "app.handler"),
    "node": ("examples/node", "index.handler"),
    "java": ("examples/java/target/classes", "example.Handler"),
}
UNTOUCHED = "the engine panicked, the function runs untouched"
# The engine reads the clock once at init, and for each call once to decide and once after the handler, except where it
# has panicked before; a record of its own takes one more.
PANICS = {
    "at init": ("1", ["ok", "ok", "ok"], "the engine panicked at init, nothing is injected"),
    "while two invocations are decided": ("2,4", ["ok", "ok", "error"], UNTOUCHED),
    "after the handler": ("3", ["ok", "error", "error"], UNTOUCHED),
}


@pytest.fixture(scope="session")
def broken_clock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A layer with a clock that can be made to fail."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("missing: a C compiler (cc)")
    folder = tmp_path_factory.mktemp("clock")
    library = str(folder / "broken_clock.so")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, str(ROOT / "tests/run/broken_clock.c")], check=True)
    return folder


@pytest.mark.parametrize("panic", PANICS)
@pytest.mark.parametrize("language", SAMPLES)
def test_a_panic_never_becomes_the_functions(function: Function, broken_clock: Path, language: str, panic: str) -> None:
    code, handler = SAMPLES[language]
    layer = ROOT / f"dist/layers/faultlayer-{language}-{MACHINE}.zip"
    if not (layer.is_file() and Path(ROOT, code).is_dir()):
        pytest.skip(f"the layer and the sample of {language} are not built: make layers builds them")
    at, expected, message = PANICS[panic]
    plan = function.plan({"id": "boom", "kind": "error", "rate": 1, "type": "Error", "when": "after"})
    command = [str(COMMAND), "run", "--runtime", language, "--code", code, "--handler", handler, "--plan", plan]
    preload = [
        "--layer",
        str(broken_clock),
        "--env",
        "LD_PRELOAD=/opt/broken_clock.so",
        "--env",
        f"BROKEN_CLOCK_AT={at}",
    ]
    options = ["--json", "--logs", "-n", str(len(expected)), "--timeout", "1m", "--memory", "512"]
    done = subprocess.run([*command, *preload, *options], capture_output=True, encoding="utf-8", cwd=ROOT)
    if "cannot build the runtime interface client" in done.stderr:
        pytest.skip(done.stderr)
    report = json.loads(done.stdout)
    assert outcomes(report) == expected, done.stderr
    # The command counts what Faultlayer says of itself as trouble.
    assert done.returncode == 1
    assert [record["message"] for record in own_records(report)] == [message]


def own_records(report: dict[str, Any]) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in logged(report) if '"source":"faultlayer"' in line]
    return [line for line in lines if "fault" not in line]
