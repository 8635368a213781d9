"""Builds the documentation site of the repository's own pages, where they are: a page each fault, a page each task.

    python3 docs_site.py OUT

A link to another page becomes one within the site, any other file's one to the repository; one that leads nowhere, as a page
that the table of contents has not, ends it with status 1.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path

import project
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort

ROOT = project.ROOT
REPOSITORY = str(project.workspace()["repository"])
FAULTS = sorted((ROOT / "docs" / "faults").glob("*.md"))
Entry = dict[str, "str | list[Entry]"]
CONTENTS: list[Entry] = [
    {"Faultlayer": "README.md"},
    {
        "Do": [
            {"Install the command and run a function": "packages/COMMAND.md"},
            {"Experiment on this machine": "docs/lab.md"},
            {"Experiment in an account": "fis/README.md"},
            {"Change a running experiment": "docs/change.md"},
            {"Live plans": "docs/live-plans.md"},
            {"Read and judge a report": "docs/report.md"},
            {"Attach without a stack": "ssm-documents/README.md"},
            {"Test in Python": "bindings-python/README.md"},
            {"Test in Node": "bindings-node/README.md"},
            {"Test in Java": "bindings-java/README.md"},
            {"Judge a retry policy": "docs/dependencies.md"},
        ]
    },
    {
        "Plans": [
            {"A plan": "docs/plan.md"},
            {"Matching": "docs/matching.md"},
            {"Variables": "docs/environment.md"},
            {"Where it runs": "docs/platforms.md"},
        ]
    },
    {"Faults": [{path.stem: str(path.relative_to(ROOT))} for path in FAULTS]},
    {
        "Inside": [
            {"Architecture": "ARCHITECTURE.md"},
            {"The lab's services": "lab/src/cloud/README.md"},
            {"Security": "SECURITY.md"},
            {"What it costs": "docs/speed.md"},
            {"Contributing": "CONTRIBUTING.md"},
            {"The tests": "tests/README.md"},
            {"Changes": "CHANGELOG.md"},
        ]
    },
]
LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)#\s]+)((?:#[^)\s]*)?)(?=\))")


def pages(entries: list[Entry]) -> list[str]:
    """The files that the table of contents names."""
    found = []
    for entry in entries:
        for value in entry.values():
            found += [value] if isinstance(value, str) else pages(value)
    return found


def linked(name: str, text: str, inside: list[str]) -> tuple[str, list[str]]:
    """A page's text with links as the site has them, and which of them lead nowhere."""
    broken = []

    def moved(found: re.Match[str]) -> str:
        target = os.path.normpath(Path(name).parent / found[1])
        page = f"{target}/README.md" if (ROOT / target).is_dir() else target
        if page in inside:
            return os.path.relpath(page, Path(name).parent) + found[2]
        if not (ROOT / target).exists():
            broken.append(f"{name}: nothing is at `{found[1]}`")
        return f"{REPOSITORY}/blob/main/{target}{found[2]}"

    return LINK.sub(moved, text), broken


def main() -> int:
    out = Path(sys.argv[1]).resolve()
    inside = pages(CONTENTS)
    others = sorted(
        str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md") if str(path.relative_to(ROOT)) not in inside
    )
    contents: list[Entry] = [*CONTENTS, {"More": [{Path(name).stem: name} for name in others]}] if others else CONTENTS
    inside += others
    broken: list[str] = []
    with tempfile.TemporaryDirectory() as work:
        for name in inside:
            text, more = linked(name, (ROOT / name).read_text(encoding="utf-8"), inside)
            broken += more
            # The name that the wheel's and the npm package's READMEs have another text for.
            text = text.replace("\nINSTALL\n", "\npip install faultlayer-cli      # or: npm install --save-dev faultlayer\n")
            page = Path(work) / "pages" / name
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(text, encoding="utf-8")
        if broken:
            print("\n".join(broken), file=sys.stderr)
            return 1
        links = dict.fromkeys(("not_found", "absolute_links", "unrecognized_links", "anchors"), "warn")
        # mkdocs will not go without a file of its own.
        empty = Path(work) / "mkdocs.yml"
        empty.write_text("site_name: Faultlayer\n", encoding="utf-8")
        config = load_config(
            config_file=str(empty),
            docs_dir=f"{work}/pages",
            site_dir=str(out),
            repo_url=REPOSITORY,
            edit_uri="blob/main/",
            theme={"name": "readthedocs", "highlightjs": False, "navigation_depth": 3},
            nav=contents,
            plugins=["search"],
            markdown_extensions=["sane_lists"],
            validation={"omitted_files": "warn", "links": links},
            strict=True,
        )
        try:
            build(config)
        except Abort as abort:
            print(abort, file=sys.stderr)
            return 1
    index = (out / "search" / "search_index.json").stat().st_size
    print(f"{out}: {len(inside)} pages, a search index of {index} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
