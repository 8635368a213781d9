"""Installs awslambdaric for every CPython of this machine below `.cache/python`, once. Run by `make test-python`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from interpreters import NEWEST_CLIENT, OLDER_CLIENTS, VERSIONS, client, interpreter


def main() -> None:
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
