"""The layer where things are not as usual: several processes in one environment, no client, an older CPython."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from conftest import Lambda
from interpreters import NEWEST_CLIENT, VERSIONS, client, interpreter
from test_layer_init import BROKEN

WATCHING = {"version": 1, "expires_at": "never", "faults": [{"id": "rare", "kind": "exit", "rate": 1e-15}]}


def test_an_environment_of_several_processes(function: Lambda) -> None:
    function.write(
        "app.py", "import os\n\n\ndef handler(event, context):\n    return [os.getpid(), os.environ['_HANDLER']]\n"
    )
    plan = {
        "version": 1,
        "expires_at": "never",
        "faults": [{"id": "a", "kind": "response", "rate": 1, "payload": "hit"}],
    }
    for given, injected in ((WATCHING, False), (plan, True)):
        variables = {"AWS_LAMBDA_MAX_CONCURRENCY": "2", "FAULTLAYER_PLAN": json.dumps(given)}
        with function.start(variables=variables) as environment:
            for _ in range(8):
                environment.send({})
            answers = [environment.answer().json for _ in range(8)]
            if injected:
                assert answers == ["hit"] * 8
            else:
                assert {name for _, name in answers} == {"app.handler"}
                assert {pid for pid, _ in answers}.isdisjoint({environment.process.pid})


ALONE = """
import faultlayer_layer
try:
    print(faultlayer_layer.handler({}, None))
except BaseException as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize("version", ["3.8", "3.9", *VERSIONS])
def test_without_a_client_the_handler_resolves_all_the_same(version: str, layer: Path, tmp_path: Path) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"this machine has no CPython {version}")
    (tmp_path / "app.py").write_text("def handler(event, context):\n    return 'ran'\n")
    env = {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(layer / "python")]), "FAULTLAYER_HANDLER": "app.handler"}
    told = subprocess.run([python, "-c", ALONE], env=env, capture_output=True, text=True, check=True).stdout.split("\n")
    # What stands in front of a record is not known, so that an empty line may come first.
    told = [line for line in told if line]
    record = json.loads(told[0])
    # Older than the layer supports: its native module does not load, and the function runs untouched.
    assert record["reason"] == ("internal_error" if version in ("3.8", "3.9") else "plan_missing")
    assert told[1:] == ["ran"]
    env["FAULTLAYER_HANDLER"] = "app.nothing"
    told = subprocess.run(
        [python, "-c", ALONE], env=env, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert told[-1] == "FaultException Handler 'nothing' missing on module 'app'"


BOTH = """
import json, sys
from awslambdaric.bootstrap import _get_handler as theirs
from faultlayer_layer._resolver import get_handler as ours
def told(resolve):
    for name in [name for name in sys.modules if name not in before]:
        del sys.modules[name]
    try:
        return resolve(sys.argv[1])
    except Exception as error:
        fields = [getattr(error, name, None) for name in ("msg", "exception_type", "trace")]
        return [type(error).__name__, fields if fields[0] else str(error)]
before = set(sys.modules)
print(json.dumps([told(theirs), told(ours)]))
"""


@pytest.mark.parametrize("case", BROKEN)
def test_the_port_of_the_clients_resolver_says_the_same(case: str, layer: Path, tmp_path: Path) -> None:
    version = next(version for version in VERSIONS if interpreter(version) and client(version).is_dir())
    python = interpreter(version)
    assert python
    handler, files = BROKEN[case]
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    folders = map(str, [tmp_path, layer / "python", client(version, NEWEST_CLIENT)])
    env = {"PYTHONPATH": os.pathsep.join(folders), "LANG": "C.UTF-8"}
    ran = subprocess.run([python, "-c", BOTH, handler], env=env, capture_output=True, text=True, check=True)
    theirs, ours = json.loads(ran.stdout)
    assert ours == theirs
    assert theirs is not None
