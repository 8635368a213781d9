"""Pace, retries and the clock of a step, with a clock of the test's own."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ParamValidationError
from faultlayer_documents import aws as aws_module
from faultlayer_documents.aws import ATTEMPTS, RATES, Aws, OutOfTime, brief, is_transient


class Clock:
    """Time that passes only where somebody sleeps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(aws_module.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(aws_module.time, "sleep", self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now += max(0.0, seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    for key, value in {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_DEFAULT_REGION": "eu-central-1"}.items():
        monkeypatch.setenv(key, value)
    return Clock(monkeypatch)


def failure(code: str, status: int) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}}, "op")  # type: ignore[typeddict-item]


def test_a_pace_leaves_no_burst_and_owes_nothing_for_idle_time(clock: Clock) -> None:
    aws, stamps = Aws(), []
    for idle in (0, 0, 0, 5, 0):
        clock.now += idle
        aws.wait("control")
        stamps.append(round(clock.now - 1000, 6))
    assert stamps == [0, 0.1, 0.2, 5.2, 5.3]


def test_the_paces_stay_below_the_account_s_rates() -> None:
    limits = {"read": 100, "control": 15, "get": 40, "put": 3, "tags": 5, "automation": 1}
    assert all(RATES[name] < limits[name] for name in RATES) and RATES["control"] <= 10


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (failure("TooManyRequestsException", 429), True),
        (failure("ThrottlingException", 400), True),
        (failure("ServiceException", 500), True),
        (failure("ResourceConflictException", 409), False),
        (failure("PreconditionFailedException", 412), False),
        (failure("AccessDeniedException", 403), False),
        (ConnectTimeoutError(endpoint_url="x"), True),
        (ParamValidationError(report="x"), False),
        (ValueError("x"), False),
    ],
)
def test_what_is_worth_another_try(error: Exception, transient: bool) -> None:
    assert is_transient(error) == transient
    assert brief(error)


class Client:
    """Fails as often as it is told to."""

    def __init__(self, errors: list[Exception]) -> None:
        self.errors, self.calls = errors, 0

    def op(self, **_: Any) -> dict[str, Any]:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return {"done": True}


def made(client: Client) -> Aws:
    aws = Aws()
    aws.clients["lambda"] = client
    return aws


def test_a_throttled_call_is_tried_again_later_and_later(clock: Clock) -> None:
    client = Client([failure("TooManyRequestsException", 429) for _ in range(4)])
    assert made(client).call("lambda", "read", "op") == {"done": True}
    # 0.4, 0.8, 1.6 and 3.2 s, each between half and whole of it.
    assert client.calls == 5 and 1003.0 <= clock.now <= 1006.1


def test_what_does_not_pass_is_raised_after_its_attempts_or_at_once(clock: Clock) -> None:
    client = Client([failure("ServiceException", 500) for _ in range(50)])
    with pytest.raises(ClientError, match="ServiceException"):
        made(client).call("lambda", "read", "op")
    assert client.calls == ATTEMPTS
    client = Client([failure("AccessDeniedException", 403)])
    with pytest.raises(ClientError, match="AccessDenied"):
        made(client).call("lambda", "read", "op")
    assert client.calls == 1


def test_when_the_script_s_time_is_over_nothing_is_sent_any_more(clock: Clock) -> None:
    client = Client([])
    aws = made(client)
    clock.now += 561
    with pytest.raises(OutOfTime):
        aws.call("lambda", "read", "op")
    assert client.calls == 0
