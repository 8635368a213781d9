"""What a layer carries that is not ours: names, versions and licences, as a notice and as a bill of materials (CycloneDX).

From `cargo tree`, which knows what is compiled in for one platform, and the licence files in the crates' own sources.
"""

from __future__ import annotations

import functools
import json
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TRIPLES = {
    "x86_64": "x86_64-unknown-linux-gnu",
    "arm64": "aarch64-unknown-linux-gnu",
    "darwin_x86_64": "x86_64-apple-darwin",
    "darwin_arm64": "aarch64-apple-darwin",
}
APACHE = "Apache-2.0"
# Licences that we take where a crate leaves the choice, the first one first.
PREFERRED = [APACHE, "MIT", "BSD-3-Clause", "Zlib", "Unicode-3.0"]
FILES = re.compile(r"(LICEN[CS]E|COPYING|NOTICE|UNLICENSE).*", re.IGNORECASE)
LOCKED = re.compile(r'name = "(.+)"\nversion = "(.+)"\nsource = ".+"\nchecksum = "(.+)"')


# The licence's text, for those whose package comes without a file of it.
MIT = """MIT License

Copyright (c) {}

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation
files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy,
modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the
Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE,
ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE."""


@dataclass(frozen=True)
class Component:
    """One thing that somebody else wrote."""

    name: str
    version: str
    licence: str
    """An SPDX expression."""
    purl: str
    text: str = ""
    """Its licence file, where the licence asks for its own to be kept."""
    sha256: str = ""

    @property
    def taken(self) -> str:
        """The one that we use it under."""
        choices = re.split(r"\s+OR\s+|/", self.licence.replace("(", "").replace(")", ""))
        return next((licence for licence in PREFERRED if licence in choices), self.licence)


def of_crate(crate: str, arch: str, more: Iterable[Component] = ()) -> list[Component]:
    """What is compiled into a crate's library, the toolchain's part with it, by name."""
    command = ["cargo", "tree", "--package", crate, "--target", TRIPLES[arch], "--edges", "normal,no-proc-macro"]
    listing = subprocess.run(
        [*command, "--prefix", "none", "--format", "{p}"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    found = {(words[0], words[1].removeprefix("v")) for line in listing.splitlines() if (words := line.split())}
    known = _packages()
    crates = [known[key] for key in found if key in known]
    return sorted([*crates, *_toolchain(arch), *more], key=lambda component: (component.name, component.version))


@functools.cache
def _packages() -> dict[tuple[str, str], Component]:
    """All crates from the registry that the lock file names, where their sources are."""
    lock = (ROOT / "Cargo.lock").read_text(encoding="utf-8")
    sums = {(name, version): checksum for name, version, checksum in LOCKED.findall(lock)}
    found = {}
    for package in _metadata()["packages"]:
        if package["source"]:
            key = (package["name"], package["version"])
            folder = Path(package["manifest_path"]).parent
            purl = f"pkg:cargo/{key[0]}@{key[1]}"
            bare = Component(*key, package["license"] or "NOASSERTION", purl, sha256=sums[key])
            text = _text(folder, bare.taken)
            if not text and bare.taken == "MIT":
                text = MIT.format(", ".join(package["authors"]) or f"the authors of {bare.name}")
            found[key] = Component(*key, bare.licence, purl, text, bare.sha256)
    return found


@functools.cache
def _metadata() -> dict[str, Any]:
    command = ["cargo", "metadata", "--format-version", "1", "--locked"]
    read: dict[str, Any] = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    return read


def _text(folder: Path, taken: str) -> str:
    """The files that the licence wants kept: of Apache's only a notice, since its own text is one for all."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and FILES.fullmatch(path.name))
    kept = [path for path in files if path.name.upper().startswith("NOTICE")]
    if taken != APACHE:
        named = [path for path in files if taken.split("-")[0].upper() in path.name.upper()]
        kept += named or [path for path in files if path not in kept]
    return "\n".join(path.read_text(encoding="utf-8").strip() for path in kept)


def _toolchain(arch: str) -> list[Component]:
    """The parts of the compilers that every library has in it."""
    release = ROOT / "target" / "layers" / arch / "rustc"
    rust = release.read_text(encoding="utf-8").strip() if release.is_file() else "unknown"
    zig = re.findall(r"ziglang==([\d.]+)", (ROOT / "tools" / "requirements-layers.txt").read_text(encoding="utf-8"))[0]
    llvm = "Apache-2.0 WITH LLVM-exception"
    return [
        Component("rust-std", rust, "MIT OR Apache-2.0", f"pkg:generic/rust-std@{rust}"),
        Component("llvm-libunwind", f"zig-{zig}", llvm, f"pkg:generic/llvm-libunwind@zig-{zig}"),
        Component("zig-compiler-rt", zig, "MIT", f"pkg:generic/zig-compiler-rt@{zig}", MIT.format("Zig contributors")),
    ]


def notices(components: Iterable[Component]) -> str:
    """Faultlayer's own licence and those of the components, each text once."""
    by_licence: dict[str, list[Component]] = {}
    for component in components:
        by_licence.setdefault(component.taken, []).append(component)
    lines = ["Faultlayer is under the Apache License 2.0, which is below. Inside are, by others:", ""]
    for licence, under in sorted(by_licence.items()):
        lines.append(f"{licence}: " + ", ".join(f"{component.name} {component.version}" for component in under))
    texts: dict[str, list[str]] = {}
    for under in by_licence.values():
        for component in under:
            if component.text:
                texts.setdefault(component.text, []).append(component.name)
    for text, names in texts.items():
        lines += ["", f"==== {', '.join(names)}", "", text]
    return "\n".join([*lines, "", f"==== {APACHE}", "", (ROOT / "LICENSE").read_text(encoding="utf-8").strip(), ""])


def bill_of_materials(name: str, components: Iterable[Component]) -> str:
    """CycloneDX 1.6, without times and serial numbers, so that the same layer has the same one."""
    ours = next(package for package in _metadata()["packages"] if package["name"] == "faultlayer-core")
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "library",
                "bom-ref": name,
                "name": name,
                "version": ours["version"],
                "licenses": [{"expression": ours["license"]}],
            }
        },
        "components": [_entry(component) for component in components],
    }
    return json.dumps(bill, indent=1) + "\n"


def _entry(component: Component) -> dict[str, object]:
    entry: dict[str, object] = {
        "type": "library",
        "bom-ref": component.purl,
        "name": component.name,
        "version": component.version,
        "licenses": [{"expression": component.licence.replace("/", " OR ")}],
        "purl": component.purl,
    }
    if component.sha256:
        entry["hashes"] = [{"alg": "SHA-256", "content": component.sha256}]
    return entry
