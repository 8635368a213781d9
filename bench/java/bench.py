"""What the Java layer costs, beside the same function without it, and beside an agent that Byte Buddy builds.

    python3 bench.py --layer FOLDER [--java HOME] [--runs N]

Cold start is from the start of the process to its first request for an invocation, with the options of the managed
runtimes: by the clock, and in processor time, which a busy machine changes less; the memory is what the process has
then. Calls are timed inside one JVM, around the runtime client's own code, in processor time of their thread. Runs of
all kinds alternate, so that a busy machine is busy for all; a figure is the median of its runs' differences.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import time
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
MAIN = "com.amazonaws.services.lambda.runtime.api.client.AWSLambda"
# The client unpacks its own library to one fixed place unless it is told where it is: others may be doing the same.
LIBRARY = "-Dcom.amazonaws.services.lambda.runtime.api.client.runtimeapi.NativeClient.JNI="
MANAGED = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-Xmx256m"]
# Never drawn for the request id that the calls have; and one whose pattern looks at every event.
SELDOM = {"id": "seldom", "kind": "latency", "rate": 1e-12, "delay_ms": 1}
PLAN = {"version": 1, "experiment": "bench", "expires_at": "2099-01-01T00:00:00Z", "faults": [SELDOM]}
MATCHING = PLAN | {"faults": [SELDOM | {"match": {"event": {"order": {"id": ["b-2"]}}}}]}


def maven(*arguments: str) -> None:
    subprocess.run(["mvn", "--batch-mode", "--quiet", "--no-transfer-progress", *arguments], check=True)


def build(work: Path) -> tuple[str, Path]:
    """The class path of the client with the benchmark's classes, and Byte Buddy's agent."""
    maven("-f", str(HERE / "bytebuddy/pom.xml"), "package")
    libraries = work / "lib"
    if not libraries.is_dir():
        maven(
            "-f",
            str(HERE / "client.xml"),
            "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies",
            "-DincludeScope=runtime",
            f"-DoutputDirectory={libraries}",
        )
    [client] = libraries.glob("aws-lambda-java-runtime-interface-client-*.jar")
    machine = {"aarch64": "aarch_64"}.get(platform.machine(), platform.machine())
    with zipfile.ZipFile(client) as archive:
        (work / "client.so").write_bytes(archive.read(f"jni/libaws-lambda-jni.linux-{machine}.so"))
    classes = work / "classes"
    classes.mkdir(parents=True, exist_ok=True)
    jars = ":".join(str(jar) for jar in sorted(libraries.glob("*.jar")))
    sources = [str(source) for source in (HERE / "src/main/java/bench").glob("*.java")]
    subprocess.run(["javac", "--release", "11", "-cp", jars, "-d", str(classes), *sources], check=True)
    return f"{classes}:{jars}", HERE / "bytebuddy/target/bytebuddy-agent.jar"


def variants(layer: Path, byte_buddy: Path) -> dict[str, dict[str, str]]:
    ours = {"JAVA_TOOL_OPTIONS": f"-javaagent:{layer / 'faultlayer-agent.jar'}"}
    return {
        "bare": {},
        "idle": ours,
        "not firing": ours | {"FAULTLAYER_PLAN": json.dumps(PLAN)},
        "not matching": ours | {"FAULTLAYER_PLAN": json.dumps(MATCHING)},
        "byte buddy": {"JAVA_TOOL_OPTIONS": f"-javaagent:{byte_buddy}"},
    }


def environment(more: dict[str, str], **fixed: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "FAULTLAYER_", "JAVA_"))}
    return kept | {"AWS_LAMBDA_FUNCTION_NAME": "bench", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512"} | fixed | more


def cold_start(java: Path, class_path: str, more: dict[str, str], work: Path) -> tuple[float, float, float]:
    """To the first request: milliseconds, milliseconds of processor time, and the memory in MB at that moment."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        address = f"127.0.0.1:{server.getsockname()[1]}"
        command = [str(java), *MANAGED, f"{LIBRARY}{work / 'client.so'}", "-cp", class_path, MAIN, "bench.Sample"]
        start = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=work / "classes",
            env=environment(more, AWS_LAMBDA_RUNTIME_API=address),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            connection, _ = server.accept()
            with connection:
                connection.recv(1)
                took = (time.perf_counter() - start) * 1000
                status = Path(f"/proc/{process.pid}/status").read_text()
                threads = [task.read_text() for task in Path(f"/proc/{process.pid}/task").glob("*/schedstat")]
        finally:
            process.kill()
            process.wait()
    [memory] = [int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS:")]
    return took, sum(int(thread.split()[0]) for thread in threads) / 1e6, memory


def call(java: Path, class_path: str, more: dict[str, str], options: list[str]) -> float:
    """Nanoseconds of one call through the client."""
    command = [str(java), *options, "-Xmx256m", "-XX:+UseSerialGC", "-cp", class_path, "bench.Calls"]
    output = subprocess.run(
        command, env=environment(more), check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ).stdout
    [line] = [line for line in output.decode().splitlines() if line.startswith("ns ")]
    return float(line.split()[1])


def differences(runs: dict[str, list[float]]) -> dict[str, float]:
    return {
        name: statistics.median(b - a for a, b in zip(runs["bare"], values, strict=True))
        for name, values in runs.items()
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layer", type=Path, required=True)
    parser.add_argument("--java", type=Path, default=None, help="a JDK's home [default: the java on the path]")
    parser.add_argument("--runs", type=int, default=15)
    options = parser.parse_args()
    java = options.java / "bin/java" if options.java else Path("java")
    work = HERE / "target"
    class_path, byte_buddy = build(work)
    kinds = variants(options.layer.resolve(), byte_buddy)

    millis: dict[str, list[float]] = {name: [] for name in kinds}
    processor: dict[str, list[float]] = {name: [] for name in kinds}
    memory: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(options.runs):
        for name, more in kinds.items():
            took, spent, megabytes = cold_start(java, class_path, more, work)
            millis[name].append(took)
            processor[name].append(spent)
            memory[name].append(megabytes)
    nanos: dict[str, dict[str, list[float]]] = {}
    for mode, flags in (("C1", ["-XX:TieredStopAtLevel=1"]), ("C2", [])):
        nanos[mode] = {name: [] for name in kinds}
        for _ in range(max(3, options.runs // 3)):
            for name, more in kinds.items():
                nanos[mode][name].append(call(java, class_path, more, flags))

    cold = {"cold start": (millis, "ms"), "processor": (processor, "ms"), "memory": (memory, "MB")}
    print(f"{'':14}" + "".join(f"{title:>13}" for title in [*cold, *(f"call, {mode}" for mode in nanos)]))
    bare = [f"{statistics.median(runs['bare']):>10.1f} {unit}" for runs, unit in cold.values()]
    print(f"{'bare':14}" + "".join(bare) + "".join(f"{min(runs['bare']):>10.0f} ns" for runs in nanos.values()))
    for name in list(kinds)[1:]:
        added = [f"{differences(runs)[name]:>+10.1f} {unit}" for runs, unit in cold.values()]
        calls = [f"{min(runs[name]) - min(runs['bare']):>+10.0f} ns" for runs in nanos.values()]
        print(f"{name:14}" + "".join(added) + "".join(calls))
    return 0


if __name__ == "__main__":
    sys.exit(main())
