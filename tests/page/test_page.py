"""The report of a run: the page as people get it, and the same figures in all its forms."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from conftest import EXPECTED, PLAN, Look, Report, look, run

WIDE = {"width": 1280, "height": 900}
NARROW = {"width": 360, "height": 740}


SIGHTS = ["wide light", "wide dark", "narrow light", "narrow dark"]


@pytest.fixture(params=SIGHTS)
def opened(request: pytest.FixtureRequest, browser: Browser, report: Report) -> Look:
    width, scheme = request.param.split()
    return look(browser, report.page, viewport=WIDE if width == "wide" else NARROW, color_scheme=scheme)


def at(report: Any, pointer: str) -> Any:
    """What stands at a JSON pointer; 0 for a count that is not there."""
    for step in pointer.removeprefix("/").split("/"):
        key = step.replace("~1", "/").replace("~0", "~")
        report = report[int(key)] if isinstance(report, list) else report.get(key, 0)
    return report


def hold_to_axe(page: Page) -> None:
    # Of what it finds nothing wrong with, which is nearly all, it need not tell where each stands.
    found = Axe().run(page, options={"resultTypes": ["violations"]})
    assert found.violations_count == 0, found.generate_report()


# Both widths, both schemes: what axe looks at of the one does not depend on the other, and each look takes seconds.
@pytest.mark.parametrize("opened", [SIGHTS[0], SIGHTS[-1]], indirect=True)
def test_the_page_has_no_error_asks_nobody_and_axe_finds_nothing(opened: Look) -> None:
    for summary in opened.page.query_selector_all("summary"):
        summary.click()
    hold_to_axe(opened.page)
    assert opened.said == []
    assert all(url.startswith(("file:", "data:")) for url in opened.asked), opened.asked


def test_nothing_but_a_table_is_wider_than_the_page(opened: Look) -> None:
    width = opened.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert width[0] <= width[1]
    charts = [chart for chart in opened.page.query_selector_all("figure svg") if chart.is_visible()]
    assert len(charts) == 3, "one of the two widths of each chart"
    # What is drawn for a phone is read on a phone: its letters are at least ten pixels high.
    for chart in charts:
        box = chart.bounding_box()
        view = (chart.get_attribute("viewBox") or "").split()
        assert box is not None
        assert box["width"] / float(view[2]) * 12 >= 9.5


def figures(opened: Look) -> list[tuple[str, str, str]]:
    """Where in the JSON each figure stands, its value, and what is shown of it."""
    found = opened.page.eval_on_selector_all(
        "data", "all => all.map(one => [one.dataset.of, one.value, one.textContent])"
    )
    return [(pointer, value, shown) for pointer, value, shown in found]


def hold(found: list[tuple[str, str, str]], report: dict[str, Any]) -> None:
    for pointer, value, shown in found:
        said = at(report, pointer)
        if isinstance(said, str):
            assert (value, shown) == (said, said), pointer
            continue
        assert float(value) == float(said), pointer
        digits = shown.replace("\u202f", "").removesuffix(" ms").removesuffix(" s")
        scale = 1000 if shown.endswith(" s") else 1
        assert float(digits) * scale == pytest.approx(float(said), rel=0.006, abs=0.006), pointer


def test_every_figure_on_the_page_is_the_one_of_the_json(browser: Browser, report: Report) -> None:
    found = figures(look(browser, report.page))
    assert len(found) >= 40
    hold(found, report.json)


@pytest.mark.parametrize("sight", [{"viewport": WIDE}, {"viewport": NARROW, "color_scheme": "dark"}])
def test_an_experiments_page_is_the_json_without_an_error(
    browser: Browser, experiment: Report, sight: dict[str, Any]
) -> None:
    opened = look(browser, experiment.page, **sight)
    found = figures(opened)
    assert {pointer.split("/")[1] for pointer, *_ in found} >= {"phases", "faults", "functions"}
    hold(found, experiment.json)
    page = opened.page
    for mark in experiment.json["marks"]:
        assert mark["label"] in page.inner_text("body")
    rows = [row.inner_text().split("\t")[0] for row in page.query_selector_all("#functions ~ * tbody tr")]
    assert [one["name"] for one in experiment.json["functions"]] == rows[:2]
    for summary in page.query_selector_all("summary"):
        summary.click()
    hold_to_axe(page)
    width = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert width[0] <= width[1]
    assert (opened.said, [url for url in opened.asked if not url.startswith(("file:", "data:"))]) == ([], [])


def test_the_verdict_comes_first_and_each_expectation_says_what_became_of_it(browser: Browser, report: Report) -> None:
    page = look(browser, report.page).page
    assert page.inner_text("h1") == f"app.handler under {PLAN['experiment']}"
    assert page.inner_text(".verdict .headline") == "1 of 4 expectations is broken, 1 cannot be measured"
    assert report.json["verdict"]["state"] == "broken"
    assert {one["text"]: one["state"] for one in report.json["expectations"]} == EXPECTED
    rows = [row.inner_text().split("\t") for row in page.query_selector_all("section:first-of-type tbody tr")]
    assert [row[:2] for row in rows] == [[text, state.replace("_", " ")] for text, state in EXPECTED.items()]
    assert rows[-1][-1].split("\n")[-1] == "there are no alarms here, only in an account or in the lab"


def test_the_charts_and_their_table_hold_every_call(browser: Browser, report: Report) -> None:
    moments = report.json["timeline"]["moments"]
    side = report.json["run"]
    total = {name: sum(moment[name] for moment in moments) for name in ("calls", "errors", "timeouts", "crashes")}
    errors = sum(side["errors"].values())
    assert total == {
        "calls": side["calls"],
        "errors": errors,
        "timeouts": side["timeouts"],
        "crashes": side["crashes"],
    }
    for fault in report.json["faults"]:
        assert sum(moment.get("injected", {}).get(fault["id"], 0) for moment in moments) == fault["injected"]
    page = look(browser, report.page).page
    page.click("summary >> nth=0")
    rows = [row.inner_text().split("\t") for row in page.query_selector_all("details tbody tr")]
    assert [int(row[1]) for row in rows] == [moment["calls"] for moment in moments]


def test_the_filter_shows_the_records_that_it_says(browser: Browser, report: Report) -> None:
    opened = look(browser, report.page)
    page = opened.page
    records = [
        (record["fault"], record["action"], invocation)
        for invocation in report.json["invocations"]
        for record in invocation["records"]
    ]
    own = [
        invocation
        for invocation in report.json["invocations"]
        if invocation["outcome"] != "ok" and not any(record["action"] == "injected" for record in invocation["records"])
    ]
    assert own, "calls that failed by themselves"
    everything = len(records) + len(own)
    assert page.inner_text("#shown").endswith(f"{everything} records")
    page.select_option("[name=fault]", "<i>boom")
    boom = [record for record in records if record[0] == "<i>boom"]
    assert page.inner_text("#shown") == f"{len(boom)} records"
    page.select_option("[name=action]", "injected")
    injected = [record for record in boom if record[1] == "injected"]
    assert len(page.query_selector_all(".records tbody tr")) == len(injected)
    page.fill("[name=text]", injected[0][2]["request_id"][:13].upper())
    assert page.inner_text("#shown") == "1 record"
    page.select_option("[name=fault]", "")
    page.select_option("[name=action]", "failed by itself")
    page.fill("[name=text]", "")
    assert page.inner_text("#shown") == f"{len(own)} {'record' if len(own) == 1 else 'records'}"
    assert opened.said == []


def test_the_page_is_whole_without_its_script_and_on_paper(browser: Browser, report: Report) -> None:
    page = look(browser, report.page, java_script_enabled=False).page
    assert page.is_hidden(".filter")
    assert len(page.query_selector_all(".records tbody tr")) == 50
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert len(page.pdf()) > 20_000


def test_markdown_says_the_same(report: Report) -> None:
    lines = report.markdown.splitlines()
    side, healthy = report.json["run"], report.json["healthy"]
    assert lines[0].startswith("# `app.handler` under `</title>")
    assert lines[2].startswith("**❌ 1 of 4 expectations is broken, 1 cannot be measured.**")
    assert "| `errors < 90%` | ✅ held |" in report.markdown
    assert f"| calls | {healthy['calls']} | {side['calls']} |" in lines
    for name, count in side["errors"].items():
        row = next(line for line in lines if line.startswith(f"| error `{name}` |"))
        assert re.search(rf"\| {count} [\d.]+ % \|$", row), row
    for fault in report.json["faults"]:
        row = next(line for line in lines if line.startswith(f"| `{fault['id']}` | {fault['kind']} |"))
        assert [cell.strip() for cell in row.split("|")][5:7] == [str(fault["drawn"]), str(fault["injected"])]


def test_the_terminal_says_what_was_expected_and_where_the_report_is(report: Report) -> None:
    lines = [" ".join(line.split()) for line in report.output.splitlines()]
    assert f"the report: {report.page}" in lines
    start = lines.index("what was expected")
    said = lines[start + 1 : start + 1 + len(EXPECTED)]
    assert [
        line.startswith(f"{text} {state.replace('_', ' ')}")
        for line, (text, state) in zip(said, EXPECTED.items(), strict=True)
    ]
    assert said[1].startswith("p99 < 1ms broken ")


def test_a_plan_without_faults_and_no_expectation_make_a_page_too(browser: Browser, tmp_path: Path) -> None:
    report = run(tmp_path, 1, plan={"version": 1, "faults": []})
    opened = look(browser, report.page, viewport=NARROW)
    assert opened.page.inner_text(".headline") == "0 of 1 call failed (0 %)"
    assert "No fault was drawn, and no call failed." in opened.page.inner_text("body")
    assert "state" not in report.json["verdict"]
    assert opened.said == []
    hold_to_axe(opened.page)


def test_json_on_standard_output_is_the_json_of_the_file(tmp_path: Path) -> None:
    report = run(tmp_path, 3, "--json", plan={"version": 1, "faults": []})
    assert json.loads(report.output) == report.json
