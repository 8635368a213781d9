"""The pytest plugin: a plan for a test in one line, and what it did.

    @pytest.mark.faultlayer(Fault.error("ConnectionError"), "app.fetch")
    def test_it(faultlayer):
        ...
        assert faultlayer.injected == ["error"]

Owns options, the marker, the fixture and the report; scopes are `_scope`'s. Each test has a scope of its own, so that
workers of pytest-xdist and the loops of pytest-asyncio need nothing special.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest

from ._errors import FaultlayerError
from ._plan import Plan, PlanLike, to_json
from ._records import Record, Told
from ._scope import faults

F = TypeVar("F", bound=Callable[..., Any])
MARKER = "faultlayer"
_SCOPE = pytest.StashKey["TestFaults"]()


class TestFaults(Told):
    """The `faultlayer` fixture: the faults of one test."""

    __test__ = False

    def __init__(self) -> None:
        self._scopes: list[faults] = []
        self.use(Plan())

    def use(self, plan: PlanLike, *targets: str) -> faults:
        """Puts a plan in force until the test ends, for injection points and for `targets`; the newest one counts."""
        scope = faults(plan, *targets, everywhere=True).__enter__()
        self._scopes.append(scope)
        return scope

    def wrap(self, function: F, plan: PlanLike | None = None) -> F:
        """`function` with a plan around it until the test ends; without one, with the plan in force now."""
        if plan is None:
            return self._scopes[-1].wrap(function)
        scope = faults(plan)
        self._scopes.insert(0, scope)
        return scope.open_for(function)

    @property
    def records(self) -> list[Record]:
        every = [record for scope in self._scopes for record in scope.records]
        return sorted(every, key=lambda record: record["timestamp"])

    def close(self) -> None:
        """Ends all scopes, the newest first."""
        for scope in reversed(self._scopes):
            scope.close()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("faultlayer", "fault injection")
    group.addoption(
        "--faultlayer-plan",
        metavar="PLAN",
        default=None,
        help="a plan (a path or JSON) that is in force in every test that has no faultlayer marker",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", f"{MARKER}(plan, *targets): the test runs with this plan around injection points and targets"
    )
    plan = config.getoption("--faultlayer-plan")
    if plan is not None:
        try:
            with faults(to_json(plan)):
                pass
        except FaultlayerError as error:
            raise pytest.UsageError(f"--faultlayer-plan: {error}") from error


def pytest_report_header(config: pytest.Config) -> str | None:
    plan = config.getoption("--faultlayer-plan")
    return None if plan is None else f"faultlayer: {plan}"


@pytest.fixture(autouse=True)
def _faultlayer(request: pytest.FixtureRequest) -> Iterator[TestFaults | None]:
    """Every test that has a marker, an option or the fixture runs inside its scope."""
    marker = request.node.get_closest_marker(MARKER)
    plan = request.config.getoption("--faultlayer-plan")
    if marker is None and plan is None and "faultlayer" not in request.fixturenames:
        yield None
        return
    if marker is not None and (not marker.args or marker.kwargs):
        raise pytest.UsageError(f"@pytest.mark.{MARKER}: expected a plan and, after it, targets")
    told = TestFaults()
    request.node.stash[_SCOPE] = told
    try:
        if marker is not None:
            told.use(*marker.args)
        elif plan is not None:
            told.use(plan)
        yield told
    finally:
        told.close()


@pytest.fixture
def faultlayer(_faultlayer: TestFaults) -> TestFaults:
    """The faults of this test: what fired (`injected`, `fired`, `records`), and more of them (`use`, `wrap`)."""
    return _faultlayer


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A failed test shows which faults fired in it."""
    outcome: Any = yield
    report = outcome.get_result()
    told = item.stash.get(_SCOPE, None)
    if report.when == "call" and report.failed and told is not None and told.records:
        lines = "\n".join(json.dumps(record, ensure_ascii=False) for record in told.records)
        report.sections.append(("faultlayer records", lines))
