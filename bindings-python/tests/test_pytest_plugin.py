"""The pytest plugin, in pytests of its own: marker, fixture, option, workers and event loops."""

from __future__ import annotations

import os
from pathlib import Path

import faultlayer
import pytest

APP = """
import asyncio
from faultlayer import inject

def fetch(): return "fetched"
class Store:
    def get(self): return "stored"

@inject()
def point(): return "own"
@inject()
async def point_async():
    await asyncio.sleep(0)
    return "own"
"""


@pytest.fixture
def inner(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    pytester.makepyfile(app=APP)
    package = str(Path(faultlayer.__file__).parents[1])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([package, str(pytester.path), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    # Other plugins take longer to load than all else here: a test names those that it is about.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeini("[pytest]\naddopts = -p faultlayer.pytest_plugin --strict-markers\n")
    return pytester


ASYNCIO = ("-p", "pytest_asyncio.plugin", "--asyncio-mode=auto")


def run(inner: pytest.Pytester, *options: str) -> pytest.RunResult:
    return inner.runpytest_subprocess("-p", "no:cacheprovider", *options)


def test_marker_and_fixture(inner: pytest.Pytester) -> None:
    inner.makepyfile(
        """
        import app, pytest
        from faultlayer import Fault, Plan

        @pytest.mark.faultlayer(Fault.error("ConnectionError", "down"), "app.fetch", "app.Store.get")
        def test_marked(faultlayer):
            for call in (app.fetch, app.Store().get, app.point):
                with pytest.raises(ConnectionError, match="down"):
                    call()
            assert faultlayer.injected == ["error"] * 3
            assert faultlayer.fired("error") == faultlayer.fired() == 3

        @pytest.mark.faultlayer({"kind": "response", "payload": "hit"})
        def test_marked_without_the_fixture():
            assert app.point() == "hit"
            assert app.fetch() == "fetched"

        def test_unmarked():
            assert (app.point(), app.fetch()) == ("own", "fetched")

        def test_use(faultlayer):
            assert app.point() == "own"
            faultlayer.use(Fault.payload("hit", when="after"), "app.fetch")
            assert (app.point(), app.fetch()) == ("hit", "hit")
            faultlayer.use([Fault.payload("never", when="during", after_ms=1), Fault.latency(1)])
            assert app.point() == "own"
            assert faultlayer.skipped == {"response": "not_streaming"}
            assert faultlayer.injected == ["response", "response", "latency"]

        KEPT = []
        def test_wrap(faultlayer):
            KEPT.append(faultlayer.wrap(app.fetch, Fault.payload("hit")))
            assert KEPT[0]() == "hit"
            assert (app.point(), app.fetch()) == ("own", "fetched")
            assert faultlayer.injected == ["response"]

        def test_nothing_is_left(faultlayer):
            assert KEPT[0]() == app.fetch() == "fetched"
            assert faultlayer.records == []

        @pytest.mark.faultlayer(Plan(Fault.payload("class")))
        class TestAll:
            def test_class(self): assert app.point() == "class"
            @pytest.mark.faultlayer(Plan(Fault.payload("own mark")))
            def test_nearer(self): assert app.point() == "own mark"
        """
    )
    run(inner).assert_outcomes(passed=8)


def test_markers_of_module_class_and_function_are_in_force_together(inner: pytest.Pytester) -> None:
    inner.makepyfile(
        """
        import app, pytest
        from faultlayer import Fault

        pytestmark = pytest.mark.faultlayer(Fault.latency(1, id="module"), "app.fetch")

        @pytest.mark.faultlayer(Fault.latency(1, id="class"))
        class TestAll:
            @pytest.mark.faultlayer(Fault.payload("hit", id="function", when="after"), "app.fetch")
            @pytest.mark.faultlayer(Fault.latency(1, id="second"), "app.Store.get")
            def test_together(self, faultlayer):
                assert app.fetch() == "hit"
                assert sorted(faultlayer.injected) == ["function", "module"]
                # An injection point meets all of them.
                assert app.point() == "hit"
                assert app.Store().get() == "stored"
                assert {name: faultlayer.fired(name) for name in ("module", "class", "function", "second")} == {
                    "module": 2, "class": 1, "function": 2, "second": 2
                }

            async def test_together_async(self, faultlayer):
                assert await app.point_async() == "own"
                assert sorted(faultlayer.injected) == ["class", "module"]

        def test_the_module_s_alone(faultlayer):
            assert app.fetch() == "fetched"
            assert faultlayer.injected == ["module"]
        """
    )
    run(inner, *ASYNCIO).assert_outcomes(passed=3)


def test_a_marker_stands_around_what_fixtures_put_there(inner: pytest.Pytester) -> None:
    inner.makepyfile(
        """
        import unittest
        import app, pytest
        from faultlayer import Fault

        ORIGINAL = app.fetch
        DOWN = pytest.mark.faultlayer(Fault.error(ConnectionError, "down"), "app.fetch")

        @pytest.fixture
        def fake(monkeypatch):
            monkeypatch.setattr(app, "fetch", lambda: "fake")
            # Faults begin with the test.
            assert app.fetch() == "fake"

        @DOWN
        def test_a_fixture_s_fake(fake):
            with pytest.raises(ConnectionError):
                app.fetch()

        @DOWN
        def test_a_fake_of_the_test_s_own(monkeypatch):
            with pytest.raises(ConnectionError):
                app.fetch()
            monkeypatch.setattr(app, "fetch", lambda: "fake")
            assert app.fetch() == "fake"

        def test_all_is_put_back():
            assert app.fetch is ORIGINAL

        class TestOld(unittest.TestCase):
            @DOWN
            def test_unittest(self):
                self.assertRaises(ConnectionError, app.fetch)
        """
    )
    run(inner).assert_outcomes(passed=4)


def test_a_test_whose_faults_had_no_chance_fails_and_says_why(inner: pytest.Pytester) -> None:
    inner.makepyfile(
        """
        import app, pytest
        from faultlayer import Fault

        DOWN = Fault.error(ConnectionError, "down")
        fetch = app.fetch

        @pytest.mark.faultlayer(DOWN, "app.fetch")
        def test_not_called(): pass

        @pytest.mark.faultlayer(DOWN, "app.fetch", strict=False)
        def test_allowed(): pass

        @pytest.mark.faultlayer(DOWN, "app.fetch")
        def test_another_copy(): assert fetch() == "fetched"

        @pytest.mark.faultlayer(DOWN, "app.fetch")
        def test_patched_over(monkeypatch):
            monkeypatch.setattr(app, "fetch", lambda: "fake")
            assert app.fetch() == "fake"

        @pytest.mark.faultlayer(DOWN, "app.fetch")
        def test_skipped(): pytest.skip("its own way out")

        @pytest.mark.faultlayer(DOWN, "app.fetch")
        def test_fails_by_itself(): assert 1 == 2

        def test_use(faultlayer): faultlayer.use(DOWN, app.fetch)
        def test_use_allowed(faultlayer): faultlayer.use(DOWN, "app.fetch", strict=False)
        def test_wrap(faultlayer): faultlayer.wrap(fetch, DOWN)

        @pytest.mark.faultlayer([], "app.fetch")
        @pytest.mark.parametrize("index", range(2))
        def test_no_faults(index): pass
        """
    )
    result = run(inner)
    result.assert_outcomes(passed=4, failed=6, skipped=1)
    result.stdout.fnmatch_lines(
        [
            "*NoChanceError: faults[[]0]: `error` had no chance to fire: not_called, `app.fetch` was not called*",
            "*strict=False allows that*",
            "*`test_a_test_*.fetch` is the same function under another name*",
            "*patched_over, `app.fetch` was replaced*",
            "*assert 1 == 2*",
        ]
    )
    assert "pytest_plugin.py" not in result.stdout.str()


def test_a_plan_for_all_tests_is_not_judged(inner: pytest.Pytester) -> None:
    inner.makepyfile("def test_calls_nothing(): pass")
    plan = '{"version":1,"expires_at":"never","faults":[{"id":"a","kind":"exit","rate":1}]}'
    run(inner, f"--faultlayer-plan={plan}").assert_outcomes(passed=1)


def test_asyncio_beside_all_plugins_that_are_installed(inner: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    inner.makepyfile(
        """
        import app, asyncio, pytest
        from faultlayer import Fault

        @pytest.fixture
        async def prepared():
            await asyncio.sleep(0)
            return 5

        @pytest.mark.faultlayer(Fault.payload("hit"))
        async def test_marked(faultlayer, prepared):
            assert await app.point_async() == "hit"
            assert await asyncio.gather(*(app.point_async() for _ in range(5))) == ["hit"] * 5
            assert faultlayer.fired() == 6

        async def test_unmarked(faultlayer):
            assert await app.point_async() == "own"
            faultlayer.use(Fault.payload("hit"))
            assert await asyncio.create_task(app.point_async()) == "hit"
        """
    )
    run(inner, "--asyncio-mode=auto").assert_outcomes(passed=2)


@pytest.mark.parametrize("workers", [(), ("-p", "xdist.plugin", "-n", "2")])
def test_the_option_is_in_force_everywhere_but_under_a_marker(inner: pytest.Pytester, workers: tuple[str, ...]) -> None:
    inner.makepyfile(
        """
        import app, pytest
        from faultlayer import Fault

        @pytest.mark.parametrize("index", range(8))
        def test_all(index, faultlayer):
            assert app.point() == "option"
            assert [record["requestId"] for record in faultlayer.records] == ["call-1"]

        @pytest.mark.faultlayer(Fault.payload("marker"))
        def test_marked(): assert app.point() == "marker"
        """
    )
    plan = inner.path / "plan.json"
    plan.write_text(
        '{"version":1,"expires_at":"never","faults":[{"id":"a","kind":"response","rate":1,"payload":"option"}]}'
    )
    result = run(inner, f"--faultlayer-plan={plan}", *workers)
    result.assert_outcomes(passed=9)
    result.stdout.fnmatch_lines([f"faultlayer: {plan}"])


def test_what_is_wrong_is_said_at_once(inner: pytest.Pytester) -> None:
    inner.makepyfile(
        """
        import pytest

        @pytest.mark.faultlayer
        def test_no_plan(): pass

        @pytest.mark.faultlayer({"kind": "latency"})
        def test_bad_plan(): pass
        """
    )
    result = run(inner, "--faultlayer-plan", '{"version": 1}')
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--faultlayer-plan: *"])
    result = run(inner)
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["*expected a plan and, after it, targets*", "*faults?0?.delay_ms: expected*"])


def test_a_failed_test_shows_its_records(inner: pytest.Pytester) -> None:
    inner.makepyfile(
        """
        import app, pytest
        from faultlayer import Fault

        @pytest.mark.faultlayer(Fault.error("ConnectionError", "down", id="boom"))
        def test_fails(): app.point()
        """
    )
    result = run(inner)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*faultlayer records*", '*"fault": "boom"*'])
    assert "_wrap.py" not in result.stdout.str()
