"""Real clients under each effect: each gives the error that it gives when the network itself does this."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any

import pytest
from conftest import Certificates
from harness import Network

Get = Callable[[], int]
DELAY_US = 200_000
TIMEOUT_S = 0.7


class Client:
    """One client, kept over a test: `get` asks once, over a connection that it has where it pools them."""

    def __init__(self, name: str, url: str, authority: str) -> None:
        library = {"urllib": "urllib.request", "psycopg": "psycopg"}.get(name, name)
        module = pytest.importorskip(library, reason=f"{name} is not installed")
        self.get, self.close = getattr(self, f"_{name}")(module, url, authority)

    def _urllib(self, module: Any, url: str, authority: str) -> tuple[Get, Callable[[], None]]:
        context = ssl.create_default_context(cafile=authority)

        def get() -> int:
            with module.urlopen(url, timeout=TIMEOUT_S, context=context) as answer:
                return int(answer.status)

        return get, lambda: None

    def _urllib3(self, module: Any, url: str, authority: str) -> tuple[Get, Callable[[], None]]:
        pool = module.PoolManager(ca_certs=authority, retries=False, timeout=TIMEOUT_S)
        return lambda: pool.request("GET", url).status, pool.clear

    def _requests(self, module: Any, url: str, authority: str) -> tuple[Get, Callable[[], None]]:
        session = module.Session()
        session.trust_env, session.verify = False, authority
        return lambda: session.get(url, timeout=TIMEOUT_S).status_code, session.close

    def _httpx(self, module: Any, url: str, authority: str) -> tuple[Get, Callable[[], None]]:
        client = module.Client(verify=ssl.create_default_context(cafile=authority), timeout=TIMEOUT_S)
        return lambda: client.get(url).status_code, client.close

    def _pycurl(self, module: Any, url: str, authority: str) -> tuple[Get, Callable[[], None]]:
        curl = module.Curl()
        options = {"URL": url, "CAINFO": authority, "TIMEOUT_MS": int(TIMEOUT_S * 1000), "NOSIGNAL": 1}
        for option, value in options.items():
            curl.setopt(getattr(module, option), value)
        curl.setopt(module.WRITEFUNCTION, lambda _: None)

        def get() -> int:
            curl.perform()
            return int(curl.getinfo(module.RESPONSE_CODE))

        return get, curl.close

    def _aiohttp(self, module: Any, url: str, authority: str) -> tuple[Get, Callable[[], None]]:
        loop = asyncio.new_event_loop()
        context = ssl.create_default_context(cafile=authority)

        async def open_session() -> Any:
            return module.ClientSession(timeout=module.ClientTimeout(total=TIMEOUT_S))

        session = loop.run_until_complete(open_session())

        async def get() -> int:
            ticks = 0

            async def tick() -> None:
                nonlocal ticks
                while True:
                    await asyncio.sleep(0.01)
                    ticks += 1

            started, ticking = time.monotonic(), asyncio.create_task(tick())
            try:
                async with session.get(url, ssl=context) as answer:
                    await answer.read()
                    return int(answer.status)
            finally:
                ticking.cancel()
                # The loop went on meanwhile, where there was a while.
                assert time.monotonic() - started < DELAY_US / 1e6 or ticks >= 3

        def close() -> None:
            loop.run_until_complete(session.close())
            loop.close()

        return lambda: loop.run_until_complete(get()), close


CLIENTS = ["urllib", "urllib3", "requests", "httpx", "aiohttp", "pycurl"]
POOLING = [name for name in CLIENTS if name != "urllib"]


def error_of(get: Get) -> str:
    """The class of what is raised, and of all that it was caused by."""
    with pytest.raises(Exception) as caught:
        get()
    seen: list[str] = []
    pending: list[BaseException | None] = [caught.value]
    while pending:
        error = pending.pop()
        if error is None:
            continue
        seen.append(f"{type(error).__name__} {error}")
        pending += [error.__cause__, error.__context__, getattr(error, "reason", None)]
        pending += [argument for argument in error.args if isinstance(argument, BaseException)]
        pending = [one for one in pending if isinstance(one, BaseException)]
    return "\n".join(seen)


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest, https: int, certificates: Certificates) -> Any:
    client = Client(request.param, f"https://localhost:{https}/bytes/10", certificates.authority)
    client.name = request.param  # type: ignore[attr-defined]
    yield client
    client.close()


def test_nothing_armed_changes_nothing(network: Network, client: Any, https: int) -> None:
    with network.watch(f"localhost:{https}"):
        assert [client.get() for _ in range(3)] == [200] * 3


def test_latency_is_added_to_each_turn(network: Network, client: Any, https: int) -> None:
    with network.watch(f"localhost:{https}"):
        for _ in range(2 if client.name in POOLING else 0):
            assert client.get() == 200
        with network.hit("latency", DELAY_US):
            started = time.monotonic()
            assert client.get() == 200
            taken = time.monotonic() - started
        assert taken >= (1 if client.name in POOLING else 2) * DELAY_US / 1e6
        assert client.get() == 200


def test_refuse_is_a_refused_connection(network: Network, client: Any, https: int) -> None:
    with network.watch(f"localhost:{https}"):
        with network.hit("refuse"):
            error = error_of(client.get).lower()
            # libcurl has an error of its own for it.
            assert "refused" in error or (client.name == "pycurl" and "connect to" in error), error
        assert client.get() == 200


def test_reset_is_a_reset_connection(network: Network, client: Any, https: int) -> None:
    with network.watch(f"localhost:{https}"):
        with network.hit("reset"):
            assert "reset" in error_of(client.get).lower()
        assert client.get() == 200


def test_blackhole_is_the_clients_own_timeout(network: Network, client: Any, https: int) -> None:
    with network.watch(f"localhost:{https}"):
        with network.hit("blackhole"):
            assert "time" in error_of(client.get).lower()
        assert client.get() == 200


@pytest.mark.parametrize(
    ("effect", "words"), [("not_found", ["Errno -2", "not known"]), ("no_answer", ["Errno -3", "Temporary"])]
)
def test_dns_is_the_resolvers_own_error(
    network: Network, client: Any, https: int, effect: str, words: list[str]
) -> None:
    if client.name == "pycurl":
        pytest.skip("libcurl answers localhost itself")
    with network.watch(f"localhost:{https}"):
        with network.hit(effect, 50_000):
            assert any(word in error_of(client.get) for word in words)
        assert client.get() == 200


def test_a_connection_kept_from_before_is_hit_too(network: Network, https: int, certificates: Certificates) -> None:
    for name in ("urllib3", "httpx", "pycurl"):
        client = Client(name, f"https://localhost:{https}/bytes/10", certificates.authority)
        with network.watch(f"localhost:{https}"):
            assert client.get() == 200
            asked = network.asked()
            with network.hit("latency", DELAY_US):
                for _ in range(2):
                    started = time.monotonic()
                    assert client.get() == 200
                    # One turn: no new connection was made.
                    assert DELAY_US / 1e6 <= time.monotonic() - started < 2 * DELAY_US / 1e6
            assert network.asked() == asked + 1
            with network.hit("blackhole"):
                assert "time" in error_of(client.get).lower()
            assert client.get() == 200
        client.close()


def test_bandwidth_is_shared_out_over_time(network: Network, http: int) -> None:
    urllib3 = pytest.importorskip("urllib3")
    with network.watch(f"localhost:{http}"), network.hit("bandwidth", 100_000):
        started = time.monotonic()
        assert len(urllib3.request("GET", f"http://localhost:{http}/bytes/50000").data) == 50_000
        assert 0.4 <= time.monotonic() - started < 5


def test_reset_lets_so_many_bytes_through(network: Network, raw: int) -> None:
    with (
        network.watch(f"localhost:{raw}"),
        network.hit("reset", 1_000),
        socket.create_connection(("localhost", raw), timeout=10) as connection,
    ):
        connection.sendall(b"x" * 5_000)
        got = b""
        with pytest.raises(ConnectionResetError):
            while True:
                got += connection.recv(65536)
        assert got == b"x" * 1_000


def test_an_effect_ends_by_itself_or_after_so_many(network: Network, raw: int) -> None:
    with network.watch(f"localhost:{raw}"):
        with (
            network.hit("latency", 60_000_000, lasts_us=100_000),
            socket.create_connection(("localhost", raw)) as connection,
        ):
            connection.sendall(b"hello")
            assert connection.recv(5) == b"hello"
        with network.hit("refuse", hits=1):
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("localhost", raw))
            socket.create_connection(("localhost", raw)).close()


def test_what_is_held_back_goes_on_when_the_invocation_ends(network: Network, raw: int) -> None:
    with network.watch(f"localhost:{raw}"), socket.create_connection(("localhost", raw), timeout=10) as connection:
        for effect in ("latency", "blackhole"):
            with network.hit(effect, 60_000_000):
                connection.sendall(b"hello")
                connection.settimeout(0.1)
                with pytest.raises(TimeoutError):
                    connection.recv(5)
            connection.settimeout(10)
            assert connection.recv(5) == b"hello"
