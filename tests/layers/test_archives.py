"""The layers' archives as they are handed to Lambda: what is in them, what their native code needs, what they say of others'
work."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import elf
import layer_archive
import third_party

ZIPS = sorted((ROOT / "dist" / "layers").glob("faultlayer-*-*.zip"))
SOURCE = re.compile(rb"([A-Za-z0-9_./-]*-\d+\.\d+\.\d+)/src/")
MOST_BYTES = {"python": 500_000, "node": 540_000, "java": 640_000}
# What a runtime looks for by name in the native code.
ENTRIES = {"python": ("PyInit__native",), "node": ("napi_register_module_v1", "node_api_module_get_api_version_v1"), "java": ("Java_dev_faultlayer_",)}


@pytest.fixture(params=ZIPS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def native(path: Path) -> bytes:
    [library] = [content for name, content in contents(path).items() if name.endswith(layer_archive.NATIVE)]
    return library


def stream(path: Path) -> bytes:
    """The native code as it stands in the archive, as zlib has it: behind two bytes, before four."""
    with zipfile.ZipFile(path) as archive:
        [library] = [entry for entry in archive.infolist() if entry.filename.endswith(layer_archive.NATIVE)]
    begins = library.header_offset + 30 + len(library.filename.encode())
    return b"--" + path.read_bytes()[begins : begins + library.compress_size] + b"----"


def language_and_arch(path: Path) -> tuple[str, str]:
    _, language, arch = path.stem.split("-")
    return language, arch


def test_each_language_has_one() -> None:
    assert ZIPS, "no layer was built: run `make layers`"


def test_its_entries_are_sorted_timeless_and_readable(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert all(entry.external_attr >> 16 & 0o444 == 0o444 for entry in entries)
    assert path.stat().st_size <= MOST_BYTES[language_and_arch(path)[0]]


def test_its_native_code_is_of_its_architecture_and_needs_libc_alone(path: Path) -> None:
    found = elf.read(native(path))
    assert found.machine == language_and_arch(path)[1]
    assert (2, 0) < found.glibc <= (2, 26)
    assert set(found.needed) <= layer_archive.LIBC


def test_its_native_code_exports_its_language_s_entries_alone_and_reads_no_debugging_information(path: Path, tmp_path: Path) -> None:
    library = native(path)
    # What std has for backtraces, which no layer prints: its sections' names, as texts in the code.
    assert b".debug_line" not in library
    assert b".gnu_debugaltlink" not in library
    if not shutil.which("nm"):
        pytest.skip("no nm to list what is exported")
    (tmp_path / "library.so").write_bytes(library)
    command = ["nm", "--dynamic", "--defined-only", tmp_path / "library.so"]
    names = {line.split()[-1] for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()}
    assert names
    assert [name for name in names if not name.startswith(ENTRIES[language_and_arch(path)[0]])] == []


def test_its_native_code_has_its_unwinder_inside(path: Path, tmp_path: Path) -> None:
    if not shutil.which("nm"):
        pytest.skip("no nm to list what is missing")
    (tmp_path / "library.so").write_bytes(native(path))
    command = ["nm", "--dynamic", "--undefined-only", tmp_path / "library.so"]
    missing = [line.split()[-1] for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()]
    assert [name for name in missing if name.startswith("_Unwind_")] == []


def test_readelf_sees_the_same(path: Path, tmp_path: Path) -> None:
    if not shutil.which("readelf"):
        pytest.skip("no readelf to compare with")
    library = tmp_path / "library.so"
    library.write_bytes(native(path))
    said = subprocess.run(["readelf", "--wide", "--dynamic", "--version-info", library], capture_output=True, text=True, check=True)
    lines = said.stdout.splitlines()
    found = elf.read(library.read_bytes())
    assert found.needed == [line.split("[")[1].rstrip("]") for line in lines if "(NEEDED)" in line]
    named = {line.split("Name: ")[1].split()[0] for line in lines if "Name: " in line and "Flags: " in line}
    assert set(found.versions) <= named
    assert {name for name in named if name.startswith("GLIBC_")} == {name for name in found.versions if name.startswith("GLIBC_")}


def test_nothing_in_it_names_this_machine(path: Path) -> None:
    here = [str(ROOT), str(Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo")) / "registry")]
    for name, content in contents(path).items():
        assert [place for place in here if place.encode() in content] == [], name


def test_its_bill_of_materials_is_valid_cyclonedx_and_names_what_is_inside(path: Path) -> None:
    text = path.with_suffix(".cdx.json").read_text(encoding="utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bill = json.loads(text)
    assert bill["metadata"]["component"]["name"] == path.stem
    names = {component["name"] for component in bill["components"]}
    # The panic locations that are left in the code name the crates they come from; those below /rust are the toolchain's.
    sources = {found.decode() for found in SOURCE.findall(native(path)) if b"/rust" not in found}
    versions = tuple(f"{component['name']}-{component['version']}" for component in bill["components"])
    assert sources
    assert [source for source in sources if not source.endswith(versions)] == []
    assert {"rust-std", "llvm-libunwind"} <= names
    assert ("asm" in names) == (language_and_arch(path)[0] == "java")


def test_its_notice_has_each_licence_once_and_names_everything(path: Path) -> None:
    [notice] = [content.decode() for name, content in contents(path).items() if name.endswith("THIRD-PARTY-NOTICES.txt")]
    bill = json.loads(path.with_suffix(".cdx.json").read_text(encoding="utf-8"))
    for component in bill["components"]:
        assert f"{component['name']} {component['version']}" in notice
    assert notice.count((ROOT / "LICENSE").read_text(encoding="utf-8").strip()) == 1
    for line in notice.splitlines()[2:]:
        if not line:
            break
        licence = line.split(": ")[0]
        # A licence whose own text has to be kept has one for each of its components.
        if licence not in ("Apache-2.0", "Apache-2.0 WITH LLVM-exception"):
            for component in line.split(": ")[1].split(", "):
                assert component.split()[0] in "".join(part for part in notice.splitlines() if part.startswith("==== ")), component


# What a packer refuses.


def compiled(folder: Path, *options: str) -> bytes:
    source = folder / "library.c"
    source.write_text("#include <pthread.h>\nint go(void) { return pthread_attr_setsigmask_np(0, 0); }\n")
    library = folder / "library.so"
    command = ["cc", "-shared", "-fPIC", "-D_GNU_SOURCE", "-w", *options, "-o", str(library), str(source)]
    subprocess.run(command, check=True)
    return library.read_bytes()


def test_a_library_that_needs_a_newer_glibc_or_libgcc_is_refused(tmp_path: Path) -> None:
    # pthread_attr_setsigmask_np came with GLIBC 2.32.
    library = compiled(tmp_path, "-Wl,--no-as-needed", "-lgcc_s")
    machine = elf.read(library).machine
    assert layer_archive.problems("a.so", library, machine) == [
        "a.so: expected at most GLIBC 2.26, needs `2.32`",
        "a.so: expected no library but libc's, needs `libgcc_s.so.1`",
    ]


def test_a_library_of_another_architecture_is_refused(path: Path) -> None:
    _, arch = language_and_arch(path)
    other = "arm64" if arch == "x86_64" else "x86_64"
    assert layer_archive.problems("a.so", native(path), other) == [f"a.so: expected native code for {other}, this is for `{arch}`"]


def test_what_is_no_whole_library_is_refused_by_name(path: Path, tmp_path: Path) -> None:
    whole = native(path)
    for cut in [0, 3, 5, 17, 60, 63, 64, 100, 500, 4096]:
        with pytest.raises(elf.NotElf):
            elf.read(whole[:cut])
    assert layer_archive.problems("a.so", b"no library", "arm64") == ["a.so: not a 64-bit little-endian ELF file"]


def test_an_archive_that_is_too_large_is_refused_and_not_left_behind(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whoever packed it: zopfli takes seconds to be some 3 % smaller.
    monkeypatch.setattr(layer_archive.zopfli.zlib, "compress", lambda content, **_: zlib.compress(content))
    language, arch = language_and_arch(path)
    out = tmp_path / f"faultlayer-{language}-{arch}.zip"
    entries = {"a.so": native(path)}
    assert layer_archive.pack(entries, out, crate=f"faultlayer-{language}", notices="n.txt", most_bytes=1000) == 1
    assert "expected at most 1000 bytes, has `" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_same_entries_give_the_same_bytes(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    language, _ = language_and_arch(path)
    # But for the native code, with which zopfli is busy for seconds: that it does the same again says `make reproduce-layers`.
    packed, compress = {native(path): stream(path)}, layer_archive.zopfli.zlib.compress
    monkeypatch.setattr(layer_archive.zopfli.zlib, "compress", lambda content, **how: packed.get(content) or compress(content, **how))
    entries = dict(reversed(contents(path).items()))
    [notices] = [name for name in entries if name.endswith("THIRD-PARTY-NOTICES.txt")]
    out = tmp_path / path.name
    more = []
    if language == "java":
        sys.path.insert(0, str(ROOT / "bindings-java" / "scripts"))
        from pack_layer import asm

        more = [asm()]
    assert layer_archive.pack(entries, out, crate=f"faultlayer-{language}", notices=notices, most_bytes=10**6, more=more) == 0
    assert out.read_bytes() == path.read_bytes()
    bill = out.with_suffix(".cdx.json").read_text(encoding="utf-8")
    assert bill == path.with_suffix(".cdx.json").read_text(encoding="utf-8")


def test_the_licence_taken_is_one_that_the_crate_offers() -> None:
    for component in third_party.of_crate("faultlayer-node", "arm64"):
        assert component.taken in component.licence
