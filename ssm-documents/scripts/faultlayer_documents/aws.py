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
    """AWS's code of an error. As in `ResourceConflictException`; empty for any other error."""
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else ""


def brief(error: BaseException) -> str:
    """One line for people. AWS's code and message, or the error's own text; ends where AWS repeats what it was sent: that
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
    """Whether the same call may succeed later."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return status == 429 or status >= 500 or any(word in code_of(error) for word in TRANSIENT)
    # Connections refused, cut or timed out. Anything else botocore raises is about the call itself.
    return isinstance(error, BotoCoreError) and any(word in type(error).__name__ for word in ("Connect", "Timeout", "HTTPClient", "Proxy"))


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
        self.lock, self.next = threading.Lock(), dict.fromkeys(RATES, 0.0)
        self.ends = time.monotonic() + BUDGET_S
        self.stop = threading.Event()

    def wait(self, pace: str) -> None:
        """Keeps one of RATES, over all threads. Without bursts."""
        with self.lock:
            now = time.monotonic()
            at = max(now, self.next[pace])
            self.next[pace] = at + 1 / RATES[pace]
        time.sleep(at - now)

    def pause(self, seconds: float) -> None:
        """Sleeps for about `seconds`. Not exactly, so that many workers do not come back together."""
        if time.monotonic() + seconds > self.ends:
            raise OutOfTime("the script's time is over")
        time.sleep(seconds * random.uniform(0.5, 1.0))

    def call(self, service: str, pace: str, operation: str, **arguments: Any) -> dict[str, Any]:
        """One API call, repeated while it may pass. Raises what stays."""
        attempt = 0
        while True:
            attempt += 1
            if time.monotonic() > self.ends:
                raise OutOfTime("the script's time is over")
            self.wait(pace)
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

    def write(self, operation: str, seen: dict[str, Any], **arguments: Any) -> dict[str, Any] | None:
        """A write under the revision that was `seen`. None where somebody else was faster, or still is at it."""
        try:
            return self.fn(operation, **arguments, **revision(seen))
        except Exception as error:
            if code_of(error) not in ("PreconditionFailedException", "ResourceConflictException"):
                raise
            return None

    def each(self, work: Callable[[str], Any], names: Iterable[str]) -> dict[str, Any]:
        """Runs `work` for all names side by side. Answers name → result, or the exception it ended with."""

        def guarded(name: str) -> Any:
            try:
                return work(name)
            except Exception as error:
                return error

        names = list(names)
        with ThreadPoolExecutor(max_workers=max(1, min(WORKERS, len(names)))) as pool:
            return dict(zip(names, pool.map(guarded, names), strict=True))


def pages(aws: Aws, operation: str, key: str, **arguments: Any) -> list[dict[str, Any]]:
    """All items of a paged Lambda list."""
    items: list[dict[str, Any]] = []
    while True:
        page = aws.fn(operation, **arguments)
        items += page.get(key, [])
        if not page.get("NextMarker"):
            return items
        arguments["Marker"] = page["NextMarker"]


def read(aws: Aws, name: str, qualifier: str = "") -> dict[str, Any]:
    """A function's configuration, or a version's."""
    arguments = {"FunctionName": name, **({"Qualifier": qualifier} if qualifier else {})}
    config: dict[str, Any] = aws.fn("get_function", **arguments)["Configuration"]
    return config


def is_busy(config: dict[str, Any]) -> bool:
    """Whether an update is in progress."""
    return config.get("LastUpdateStatus") == "InProgress" or config.get("State") == "Pending"


def settled(aws: Aws, name: str, qualifier: str = "", patience_s: float = 0.0) -> dict[str, Any]:
    """The configuration once no update runs. After `patience_s` (or SETTLE_S) as it is then."""
    ends, delay = time.monotonic() + (patience_s or SETTLE_S), 0.4
    while True:
        config = read(aws, name, qualifier)
        if not is_busy(config) or time.monotonic() > ends:
            return config
        aws.pause(delay)
        delay = min(2.0, delay * 1.5)


def revision(config: dict[str, Any]) -> dict[str, str]:
    """The precondition of a write."""
    return {"RevisionId": config["RevisionId"]} if config.get("RevisionId") else {}
