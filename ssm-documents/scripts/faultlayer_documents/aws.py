"""Calls AWS: clients, the pace of the account's rates, retries, the time that is left.

Knows nothing of plans, markers or functions. Every call may be sent twice: writes carry a revision, a token or a value
that does not change, so a second sending does no harm.
"""

import random
import re
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

# An SSM script may run 600 s. What is left is for saying what was not done.
BUDGET_S = 560.0
WORKERS = 32
ATTEMPTS = 9
# Of the account's rates, so that its owner's own deployments still get through.
RATES = {"read": 80.0, "control": 10.0, "get": 30.0, "put": 2.5, "tags": 4.0, "automation": 0.9}
READ_TIMEOUT_S = 20
# How long an update in progress is waited for.
SETTLE_S = 60.0
TRANSIENT = ("Throttl", "TooManyRequests", "RequestLimit", "RateExceeded", "TooManyUpdates", "InternalServerError")


class OutOfTime(Exception):
    """The script's time is nearly over."""


def code_of(error: BaseException) -> str:
    """AWS's code of an error, as in `ResourceConflictException`; empty for any other error."""
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else ""


def brief(error: BaseException) -> str:
    """One line for people: AWS's code and message, or the error's own text. Ends where AWS repeats what it was sent: that
    may be the variables of a function, and a plan that came from a secret."""
    if isinstance(error, ClientError):
        message = str(error.response["Error"].get("Message", ""))
        return f"{code_of(error)}: {re.split(r'[{]|Value .|String measured', message)[0]}"[:300]
    if isinstance(error, BotoCoreError):
        return type(error).__name__
    return (str(error) or type(error).__name__)[:300]


def counted(number: int, what: str) -> str:
    """`1 function`, `2 functions`."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def is_transient(error: BaseException) -> bool:
    """Whether the same call may succeed a little later."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return status == 429 or status >= 500 or any(word in code_of(error) for word in TRANSIENT)
    # Connections refused, cut or timed out. Anything else botocore raises is about the call itself.
    return isinstance(error, BotoCoreError) and any(word in type(error).__name__ for word in ("Connect", "Timeout", "HTTPClient", "Proxy"))


class Pace:
    """At most `rate` calls a second, over all threads, without bursts."""

    def __init__(self, rate: float) -> None:
        self.gap = 1 / rate
        self.next = 0.0
        self.lock = threading.Lock()

    def wait(self) -> None:
        with self.lock:
            now = time.monotonic()
            at = max(now, self.next)
            self.next = at + self.gap
        time.sleep(at - now)


class Aws:
    """The clients of one step, with its pace and its clock."""

    def __init__(self) -> None:
        config = Config(
            connect_timeout=5,
            read_timeout=READ_TIMEOUT_S,
            max_pool_connections=WORKERS,
            retries={"total_max_attempts": 1},
        )
        self.clients = {name: boto3.client(name, config=config) for name in ("lambda", "ssm", "resourcegroupstaggingapi")}
        self.region = self.clients["lambda"].meta.region_name
        self.paces = {name: Pace(rate) for name, rate in RATES.items()}
        self.ends = time.monotonic() + BUDGET_S
        self.stop = threading.Event()

    def pause(self, seconds: float) -> None:
        """Sleeps for `seconds` more or less, so that many workers do not come back together."""
        if time.monotonic() + seconds > self.ends:
            raise OutOfTime("the script's time is over")
        time.sleep(seconds * random.uniform(0.5, 1.0))

    def call(self, service: str, pace: str, operation: str, **arguments: Any) -> dict[str, Any]:
        """One API call, repeated while the answer is that of a moment. Raises what stays."""
        attempt = 0
        while True:
            attempt += 1
            if time.monotonic() > self.ends:
                raise OutOfTime("the script's time is over")
            self.paces[pace].wait()
            try:
                answer: dict[str, Any] = getattr(self.clients[service], operation)(**arguments)
                return answer
            except (ClientError, BotoCoreError) as error:
                if attempt >= ATTEMPTS or not is_transient(error):
                    raise
            self.pause(min(5.0, 0.2 * 2**attempt))

    def fn(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """A Lambda call. GetFunction has a rate of its own; everything else shares one."""
        return self.call("lambda", "read" if operation == "get_function" else "control", operation, **arguments)

    def pages(self, operation: str, key: str, **arguments: Any) -> list[dict[str, Any]]:
        """All items of a paged Lambda list."""
        items: list[dict[str, Any]] = []
        while True:
            page = self.fn(operation, **arguments)
            items += page.get(key, [])
            if not page.get("NextMarker"):
                return items
            arguments["Marker"] = page["NextMarker"]

    def each(self, work: Callable[[str], Any], names: Iterable[str]) -> dict[str, Any]:
        """Runs `work` for every name, side by side. Answers name → result, or the exception it ended with."""

        def guarded(name: str) -> Any:
            try:
                return work(name)
            except Exception as error:
                return error

        names = list(names)
        with ThreadPoolExecutor(max_workers=max(1, min(WORKERS, len(names)))) as pool:
            return dict(zip(names, pool.map(guarded, names), strict=True))


def read(aws: Aws, name: str, qualifier: str = "") -> dict[str, Any]:
    """The configuration of a function or of one of its versions, as it is now."""
    arguments = {"FunctionName": name, **({"Qualifier": qualifier} if qualifier else {})}
    config: dict[str, Any] = aws.fn("get_function", **arguments)["Configuration"]
    return config


def settled(aws: Aws, name: str, qualifier: str = "", patience_s: float = 0.0) -> dict[str, Any]:
    """The configuration once no update is in progress; after `patience_s` (or SETTLE_S) as it is then."""
    ends, delay = time.monotonic() + (patience_s or SETTLE_S), 0.4
    while True:
        config = read(aws, name, qualifier)
        busy = config.get("LastUpdateStatus") == "InProgress" or config.get("State") == "Pending"
        if not busy or time.monotonic() > ends:
            return config
        aws.pause(delay)
        delay = min(2.0, delay * 1.5)


def revision(config: dict[str, Any]) -> dict[str, str]:
    """The precondition of a write: the revision that was read."""
    return {"RevisionId": config["RevisionId"]} if config.get("RevisionId") else {}
