"""The pytest plugin: a plan for a test in one line, and what it did.

    @pytest.mark.faultlayer(Fault.error("ConnectionError"), "app.fetch")
    def test_it(faultlayer):
        ...
        assert faultlayer.injected == ["error"]

Owns options, the marker, the fixture and the report; scopes are `_scope`'s. Each test has a scope of its own, so that
workers of pytest-xdist and the loops of pytest-asyncio need nothing special.

A marker's plan is in force from just before the test function is called, when all its fixtures are there, until just
after: what a fixture replaces stays replaced, with the faults around it. A test whose faults never had a chance to fire
fails.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest

from ._errors import FaultlayerError, NoChance, NoChanceError
from ._native import Calls, Host
from ._plan import Plan, PlanLike, to_json
from ._records import Record, Told
from ._scope import faults
from ._targets import Target
from ._wrap import in_process

F = TypeVar("F", bound=Callable[..., Any])
MARKER = "faultlayer"
_SCOPE = pytest.StashKey["TestFaults"]()


class _Together:
    """The scopes of a test's markers, in force together: the nearest marker's faults come first."""

    def __init__(self, scopes: list[faults]) -> None:
        self.scopes = scopes
        self.called_elsewhere = False

    def hosts(self) -> tuple[Host, ...]:
        return tuple(host for scope in reversed(self.scopes) for host in scope.hosts())

    def own_calls(self) -> Calls | None:
        return next((calls for scope in reversed(self.scopes) if (calls := scope.own_calls()) is not None), None)

    def no_chance(self) -> Iterator[NoChance]:
        """What the scopes missed, but for what a nearer marker's outcome stood in the place of."""
        nearer: list[faults] = []
        for scope in reversed(self.scopes):
            if not any(near.stood_before(scope) for near in nearer):
                yield from scope.no_chance if scope.strict else ()
            nearer.append(scope)

    def open(self) -> None:
        for scope in self.scopes:
            scope.open_targets()
        in_process.append(self)

    def close(self) -> None:
        if self in in_process:
            in_process.remove(self)
        for scope in reversed(self.scopes):
            scope.close()


class TestFaults(Told):
    """The `faultlayer` fixture: the faults of one test."""

    __test__ = False

    def __init__(self, marked: list[faults]) -> None:
        self._marked = _Together(marked)
        self._scopes: list[faults] = []
        self.use(Plan())

    def use(self, plan: PlanLike, *targets: str | Callable[..., Any], strict: bool = True) -> faults:
        """Puts a plan in force until the test ends, for injection points and for `targets`; the newest one counts."""
        scope = faults(plan, *targets, everywhere=True, strict=strict).__enter__()
        self._scopes.append(scope)
        return scope

    def wrap(self, function: F, plan: PlanLike | None = None, *, strict: bool = True) -> F:
        """`function` with a plan around it until the test ends; without one, with the plan in force now."""
        if plan is None:
            return self._scopes[-1].wrap(function)
        scope = faults(plan, strict=strict)
        self._scopes.insert(0, scope)
        return scope.open_for(function)

    @property
    def records(self) -> list[Record]:
        every = [record for scope in self._all() for record in scope.records]
        return sorted(every, key=lambda record: record["timestamp"])

    @property
    def no_chance(self) -> tuple[NoChance, ...]:
        """The faults that had no chance to fire so far, each with the reason; those that may have none left out."""
        used = (missed for scope in self._scopes if scope.strict for missed in scope.no_chance)
        return (*self._marked.no_chance(), *used)

    def begin(self) -> None:
        """Puts the markers' plans in force."""
        if self._marked.scopes:
            self._marked.open()

    def close(self) -> None:
        """Ends all scopes, the newest first."""
        self._marked.close()
        for scope in reversed(self._scopes):
            scope.close()

    def _all(self) -> list[faults]:
        return self._marked.scopes + self._scopes


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
        "markers",
        f"{MARKER}(plan, *targets, strict=True): the test runs with this plan around injection points and targets, and "
        "fails if its faults had no chance to fire",
    )
    plan = config.getoption("--faultlayer-plan")
    if plan is not None:
        try:
            faults(to_json(plan))
        except FaultlayerError as error:
            raise pytest.UsageError(f"--faultlayer-plan: {error}") from error


def pytest_report_header(config: pytest.Config) -> str | None:
    plan = config.getoption("--faultlayer-plan")
    return None if plan is None else f"faultlayer: {plan}"


@pytest.fixture(autouse=True)
def _faultlayer(request: pytest.FixtureRequest) -> Iterator[TestFaults | None]:
    """Every test that has a marker, an option or the fixture has its faults; the markers' begin with the call."""
    markers = list(request.node.iter_markers(MARKER))
    plan = request.config.getoption("--faultlayer-plan")
    if not markers and plan is None and "faultlayer" not in request.fixturenames:
        yield None
        return
    # Wrong plans are told now, once for all tests that a marker of a class or a module is for.
    marked = [_scope_of(marker) for marker in reversed(markers)]
    if not markers and plan is not None:
        # What a test of the user's does not call has no chance: this plan is for all tests, so that is no failure.
        marked = [faults(plan, strict=False)]
    told = TestFaults(marked)
    request.node.stash[_SCOPE] = told
    try:
        yield told
    finally:
        told.close()


def _scope_of(marker: pytest.Mark) -> faults:
    if not marker.args or marker.kwargs.keys() - {"strict"}:
        raise pytest.UsageError(f"@pytest.mark.{MARKER}: expected a plan and, after it, targets; beside them `strict`")
    return faults(*marker.args, strict=marker.kwargs.get("strict", True))


@pytest.fixture
def faultlayer(_faultlayer: TestFaults) -> TestFaults:
    """The faults of this test: what fired (`injected`, `fired`, `records`), and more of them (`use`, `wrap`)."""
    return _faultlayer


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """The markers' plans are in force around the call, and judged after a test that did not fail by itself."""
    __tracebackhide__ = True
    told = item.stash.get(_SCOPE, None)
    if told is None:
        yield
        return
    try:
        told.begin()
        yield
    finally:
        told.close()
    if missed := told.no_chance:
        raise NoChanceError(missed)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown() -> Iterator[None]:
    """What fixtures stood around is put back once they are gone."""
    try:
        yield
    finally:
        Target.put_left_back()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """A failed test shows which faults fired in it."""
    report: Any = yield
    told = item.stash.get(_SCOPE, None)
    if report.when == "call" and report.failed and told is not None and told.records:
        lines = "\n".join(json.dumps(record, ensure_ascii=False) for record in told.records)
        report.sections.append(("faultlayer records", lines))
    return report  # type: ignore[no-any-return]
