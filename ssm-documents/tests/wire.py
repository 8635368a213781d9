"""Cuts into the way of single API calls of a script that runs in this process: between botocore and the socket.

No stand-in for AWS: calls go to a real endpoint, but for what a mode does to the one call it is about.
"""

import io
import threading
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ReadTimeoutError


class Killed(BaseException):
    """The script's process is gone: nothing in it catches this, nothing of it is sent any more."""


class Raw(io.BytesIO):
    """A body as urllib3 hands it over."""

    def stream(self, *_: Any, **__: Any) -> Any:
        yield self.read()


def answer(request: Any, status: int, code: str) -> AWSResponse:
    body = f'{{"__type":"{code}","message":"cut","Message":"cut"}}'.encode()
    return AWSResponse(request.url, status, {"x-amzn-errortype": code, "content-type": "application/json"}, Raw(body))


MODES = "fail fail_after denied denied_after throttle throttle_on timeout timeout_after kill kill_after cancel hang".split()


class Wire:
    """Counts the calls of the clients made while it is armed and acts on the `nth`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.nth, self.mode, self.count, self.fired = 0, "", 0, ""
        self.armed = self.dead = False
        self.meanwhile: Callable[[], Any] = lambda: None
        self.threads: list[threading.Thread] = []
        self.lock = threading.Lock()
        make = boto3.client

        def client(*arguments: Any, **more: Any) -> Any:
            made = make(*arguments, **more)
            if self.armed:
                session = made._endpoint.http_session
                send = session.send
                session.send = lambda request: self.send(send, request)
            return made

        monkeypatch.setattr(boto3, "client", client)

    def arm(self, nth: int, mode: str, meanwhile: Callable[[], Any]) -> None:
        """From now on the `nth` call is acted on. `meanwhile` is what else happens while a call hangs or after a cancel."""
        self.nth, self.mode, self.count, self.fired, self.meanwhile = nth, mode, 0, "", meanwhile
        self.armed, self.dead, self.threads = True, False, []

    def disarm(self) -> None:
        self.armed = False
        for thread in self.threads:
            thread.join()

    def send(self, send: Callable[[Any], AWSResponse], request: Any) -> AWSResponse:
        with self.lock:
            if self.dead:
                raise Killed
            self.count += 1
            here = self.count
            acts = here == self.nth or (here > self.nth > 0 and self.mode == "throttle_on" and bool(self.fired))
            if here == self.nth:
                self.fired = f"{request.method} {request.headers.get('X-Amz-Target', request.url.split('?')[0])}"
        mode = self.mode if acts else ""
        if mode in ("fail_after", "denied_after", "timeout_after", "kill_after"):
            send(request)
        if mode in ("kill", "kill_after"):
            self.dead = True
            raise Killed
        if mode in ("fail", "fail_after"):
            return answer(request, 500, "ServiceException")
        if mode in ("denied", "denied_after"):
            return answer(request, 403, "AccessDeniedException")
        if mode in ("throttle", "throttle_on"):
            return answer(request, 429, "TooManyRequestsException")
        if mode in ("timeout", "timeout_after"):
            raise ReadTimeoutError(endpoint_url=request.url)
        if mode == "hang":
            self.armed = False
            self.meanwhile()
        if mode == "cancel":
            self.armed = False
            self.threads.append(threading.Thread(target=self.meanwhile))
            self.threads[-1].start()
        return send(request)
