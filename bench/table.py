"""Makes the README's table and chart of the results, between the marks that stand there.

    .cache/bench/python/bin/python bench/table.py bench/results.json README.md docs/speed.svg

A figure that was not measured is a dash; one that was measured quickly is refused.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot
from rows.patterns import SORTS

BEGIN, END = "<!-- bench: by bench/table.py -->", "<!-- /bench -->"

TROUBLE = ("silent", "a byte each 100 ms", "answers 500", "answers garbage", "nobody listens")

# What the table says of each: the row, ours, and what stands beside it, as `row: figure`, its median or `@p99`.
LINES: list[tuple[str, list[str], list[tuple[str, str]]]] = [
    *[
        (
            f"a call in {language}: nothing can fire, 7 faults of which none is drawn, a `match` that fails",
            [f"calls-{language.lower()}: {kind}, added" for kind in ("nothing can fire", plan, "match does not match")],
            [(peer, f"calls-{language.lower()}: {peer}, added") for peer in peers],
        )
        for language, plan, peers in (
            ("Python", "none drawn of 7", ["chaos-lambda, none drawn", "failureflags, off"]),
            ("Node", "none drawn of 7", ["failure-lambda, none drawn"]),
            ("Java", "with a plan", ["an agent by Byte Buddy"]),
        )
    ],
    *[
        (
            f"round trip, {name}: nothing can fire, with a plan",
            [f"round-trip: {of}, nothing can fire, added", f"round-trip: {of}, with a plan, added"],
            [("a Runtime API proxy", f"round-trip: {of}, behind a proxy, added")],
        )
        for name, of in (("Python", "Python 3.11"), ("Node", "Node 20"), ("Java", "Java"))
    ],
    *[
        (
            f"the same at p99, {name}: a plan from an extension that is silent, slow, answers 500 or garbage, is gone",
            [f"live: {of}, an extension in trouble: {how}, p99, added" for how in TROUBLE],
            [("one that answers", f"live: {of}, an extension that answers, every 10 s, p99, added")],
        )
        for name, of in (("Python", "Python 3.11"), ("Node", "Node 20"), ("Java", "Java"))
    ],
    *[
        (
            f"{what}, {name}: nothing can fire, with a plan",
            [f"starts: {of}, nothing can fire, {unit}, added", f"starts: {of}, with a plan, {unit}, added"],
            [(peer, f"starts: {of}, {peer}, {unit}, added")],
        )
        for what, unit in (("cold start", "ms"), ("memory", "MB"))
        for name, of, peer in (
            ("Python", "Python 3.11", "importing boto3"),
            ("Node", "Node 22", "requiring @aws-sdk/client-ssm"),
            ("Java", "Java", "an agent by Byte Buddy"),
        )
    ],
    *[
        (
            f"cold start of a function that has an SDK, {name}: faults in its calls, beside another plan",
            [f"starts: {of}, with faults in calls to AWS, with an SDK, ms, beside another plan, added"],
            [],
        )
        for name, of in (("Python", "Python 3.11"), ("Node", "Node 22"), ("Java", "Java"))
    ],
    *[
        (
            f"an attempt of a call to AWS in {name} that no fault is about: of another service, by another operation",
            [
                f"aws-calls: {name}, in one that is, to another service, added",
                f"aws-calls: {name}, to the service, another operation, added",
            ],
            [],
        )
        for name in ("Python", "Node", "Java")
    ],
    (
        "connecting to a host that no fault is about; a round trip over a connection that one may be about; "
        "the same, all of it on one processor",
        [
            "connections: connect, to a host that nobody named, added",
            "connections: round trip, relayed, added",
            "connections: round trip on one processor, relayed, added",
        ],
        [
            ("connecting", "connections: connect, never watched"),
            ("a round trip", "connections: round trip, direct"),
        ],
    ),
    *[
        (
            f"a delay of 1, 10, 100, 1,000 ms in {language}: beyond it at p99",
            [f"delays: {language}, {delay} ms, injected @p99" for delay in (1, 10, 100, 1000)],
            [("the language's own sleep of 10 ms", f"delays: {language}, 10 ms, the language's own @p99")],
        )
        for language in ("Python", "Node", "Java")
    ],
    (
        "a decision by the engine: 1, 7, 10, 100 faults, none drawn",
        [f"engine: none drawn, faults: {faults}" for faults in (1, 7, 10, 100)],
        [],
    ),
    ("decisions a second: 1, 2, 4, 8 threads", [f"engine: decisions by {n} threads" for n in (1, 2, 4, 8)], []),
    *[
        (
            f"patterns, {sort}",
            [f"patterns: {sort}, Faultlayer"],
            [
                ("event-ruler", f"patterns: {sort}, event-ruler"),
                ("ours, in turns", f"patterns: {sort}, times event-ruler"),
            ],
        )
        for sort in SORTS
    ],
    (
        "the lab: invocations through awslambdaric",
        ["lab: invocations through awslambdaric"],
        [("AWS's Runtime Interface Emulator", "lab: invocations, AWS's Runtime Interface Emulator")],
    ),
    ("the lab: API calls", ["lab: API calls, faultlayer lab"], [("moto's server", "lab: API calls, moto server")]),
    (
        "`faultlayer run`: a call",
        ["run: a call"],
        [("the client alone", "run: a call, the client alone from one event to the next")],
    ),
    ("`faultlayer run -n 100000`", ["run: 100000 calls"], []),
    ("its memory after 10,000, 100,000 calls", ["run: 10000 calls, memory", "run: 100000 calls, memory"], []),
    *[
        (
            f"{functions:,} functions: attach, restore",
            [f"{row}: {functions} functions, {what}" for what in ("attach", "restore")],
            [("the estimate", f"{row}: {functions} functions, attach, estimated")],
        )
        for row, functions in (("fleet", 50), ("fleet", 300), ("fleet-1000", 1000))
    ],
    ("log for an injected delay", ["records: a record of latency"], []),
]


def figure(results: dict[str, Any], name: str) -> tuple[float, str] | None:
    """A value and its unit."""
    row, _, what = name.partition(": ")
    # Not at any @: packages of npm have one.
    what, _, statistic = what.partition(" @p")
    found = results["rows"].get(row, {}).get("figures", {}).get(what)
    return (found[f"p{statistic}" if statistic else "median"], found["unit"]) if found else None


def number(value: float) -> str:
    digits = 0 if abs(value) >= 20 else 1 if abs(value) >= 2 else 2
    return f"{value:,.{digits}f}"


def shown(results: dict[str, Any], names: list[str]) -> str:
    """The medians, with their unit behind the last."""
    found = [figure(results, name) for name in names]
    units = [one[1] for one in found if one]
    if not units:
        return "-"
    return " · ".join(number(one[0]) if one else "-" for one in found) + f" {units[-1]}"


def by_itself(results: dict[str, Any]) -> str:
    """The rows that another run measured: since the table's, or of what it leaves out."""
    day = results["date"][:10]
    rows = results["rows"].items()
    others = {name: row["date"][:10] for name, row in rows if row["command"] != results["command"]}
    named = [f"`{name}`" + (f" ({date})" if date != day else "") for name, date in others.items()]
    return f" By themselves: {', '.join(named)}." if named else ""


def table(results: dict[str, Any]) -> str:
    machine, versions = results["machine"], results["versions"]
    lines = [
        f"`{results['command']}`, {results['date'][:10]}, {machine['processor']}, {machine['cores']} cores, {machine['system']}; "
        f"medians, and of what is added to the same without Faultlayer the median of what rounds in turns differ by."
        f"{by_itself(results)}",
        "",
        "| added, or reached | Faultlayer | beside |",
        "| -- | -- | -- |",
    ]
    for what, ours, peers in LINES:
        beside = "; ".join(f"{name}: {shown(results, [of])}" for name, of in peers if figure(results, of))
        if any(figure(results, name) for name in ours):
            lines.append(f"| {what} | {shown(results, ours)} | {beside} |")
    lines += [
        "",
        "![what a call costs where nothing is drawn, beside peers](docs/speed.svg)",
        "",
        f"With Python {versions['python']}, Node {versions.get('node', '-')} and {versions.get('java', 'no Java')}.",
    ]
    return "\n".join(lines)


def chart(results: dict[str, Any], out: Path) -> None:
    """What a call costs, by all that was measured in one process: nanoseconds, each tenfold one step."""
    bars = [
        (name, found[0], ours)
        for name, of, ours in [
            ("Faultlayer in Python, 7 faults", "calls-python: none drawn of 7, added", True),
            ("failureflags, off", "calls-python: failureflags, off, added", False),
            ("chaos-lambda, off", "calls-python: chaos-lambda, off, added", False),
            ("chaos-lambda, on", "calls-python: chaos-lambda, none drawn, added", False),
            ("Faultlayer in Node, 7 faults", "calls-node: none drawn of 7, added", True),
            ("failure-lambda, off", "calls-node: failure-lambda, off, added", False),
            ("failure-lambda, on", "calls-node: failure-lambda, none drawn, added", False),
            ("Faultlayer in Java, 7 faults", "calls-java: with a plan, added", True),
        ]
        if (found := figure(results, of))
    ]
    # Text stays text, which a page's reader can search, and equal results make equal bytes.
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "faultlayer", "font.family": "sans-serif"})
    drawing, axes = pyplot.subplots(figsize=(8, 0.42 * len(bars) + 0.9))
    colours = ["#2563eb" if ours else "#9ca3af" for _, _, ours in bars]
    drawn = axes.barh([name for name, _, _ in bars], [max(value, 10) for _, value, _ in bars], color=colours)
    axes.bar_label(drawn, labels=[f" {number(value)} ns" for _, value, _ in bars])
    axes.set_xscale("log")
    axes.set_xlabel("ns that a call takes more where nothing is drawn")
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
    # A bar of tenfold steps has no zero to begin at: 10 ns, which is nothing here.
    axes.set_xlim(left=10, right=axes.get_xlim()[1] * 4)
    drawing.tight_layout()
    drawing.savefig(out, metadata={"Date": None, "Creator": None}, facecolor="white")


def main() -> int:
    results_at, page, drawing = map(Path, sys.argv[1:4])
    results = json.loads(results_at.read_text())
    if results["quick"]:
        print("these results were made by --quick: their figures mean nothing", file=sys.stderr)
        return 1
    text = page.read_text()
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        print(f"{page} has not one `{BEGIN}` and one `{END}`", file=sys.stderr)
        return 1
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n\n{table(results)}\n\n{END}{after}")
    chart(results, drawing)
    return 0


if __name__ == "__main__":
    sys.exit(main())
