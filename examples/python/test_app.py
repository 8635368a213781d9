"""The sample function under faults, in a test of its owner's: `pip install faultlayer pytest`, then `pytest`."""

import app
import pytest
from faultlayer import Fault, faults, wrap
from faultlayer.pytest_plugin import TestFaults


@pytest.mark.faultlayer(Fault.error("ConnectionError", "the table is away"), "app.handler")
def test_a_caller_sees_the_error(faultlayer: TestFaults) -> None:
    with pytest.raises(ConnectionError, match="away"):
        app.handler({}, None)
    assert faultlayer.injected == ["error"]


def test_one_call_in_four_is_busy_and_the_same_ones_each_time() -> None:
    busy = Fault.response(status=503, rate=0.25)
    seen = []
    for _ in range(2):
        handler = wrap(app.handler, busy)
        seen.append([handler({}, None)["statusCode"] for _ in range(40)])
    assert seen[0] == seen[1]
    assert 0 < seen[0].count(503) < 40


def test_a_slow_answer_is_still_the_answer() -> None:
    with faults(Fault.latency(20, when="after"), "app.handler") as chaos:
        assert app.handler({}, None)["statusCode"] == 200
    assert chaos.fired("latency") == 1
