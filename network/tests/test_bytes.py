"""Bytes through the relay are those that were sent, whatever the connection's shape, and it leaves nothing behind."""

from __future__ import annotations

import hashlib
import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import urllib3
from conftest import Certificates
from harness import Network, descriptors
from servers import body_of


@pytest.mark.parametrize("connections", [1, 8, 64])
def test_ten_thousand_tls_requests_are_equal(
    network: Network, https: int, certificates: Certificates, connections: int
) -> None:
    """A third of them for each number of connections."""
    pool = urllib3.HTTPSConnectionPool(
        "localhost", https, maxsize=connections, block=True, ca_certs=certificates.authority, retries=False
    )

    def ask(number: int) -> bool:
        # Now and then one that fills every buffer on the way.
        size = 300_000 if number % 100 == 0 else number * 37 % 5_000
        sent = hashlib.sha256(number.to_bytes(4, "big")).digest() * (number % 50)
        got = pool.request("GET", f"/bytes/{size}").data == body_of(size)
        return got and (number % 10 != 0 or pool.request("POST", "/echo", body=sent).data == sent)

    with network.watch(f"localhost:{https}"), ThreadPoolExecutor(connections) as threads:
        relayed_before = network.asked()
        with network.hit("nothing"):
            assert all(threads.map(ask, range(3_030)))
        # Each connection was asked about once, so all went through the relay.
        assert 1 <= network.asked() - relayed_before <= connections
    pool.close()


def test_both_directions_at_once_and_more_than_any_buffer(network: Network, raw: int) -> None:
    data = hashlib.sha256(b"seed").digest() * 500_000  # 16 MB
    with network.watch(f"localhost:{raw}"), socket.create_connection(("localhost", raw)) as connection:
        assert connection.getpeername() == ("127.0.0.1", raw)
        assert connection.getsockname()[1] != raw
        sender = threading.Thread(target=lambda: (connection.sendall(data), connection.shutdown(socket.SHUT_WR)))
        sender.start()
        assert read_all(connection) == data + b"end"
        sender.join()


def test_a_half_closed_connection_still_gets_its_answer(network: Network, raw: int) -> None:
    for _ in range(50):
        with network.watch(f"localhost:{raw}"), socket.create_connection(("localhost", raw)) as connection:
            connection.sendall(b"question")
            connection.shutdown(socket.SHUT_WR)
            assert read_all(connection) == b"questionend"


def test_a_connection_that_the_server_closed_while_idle_is_seen_as_closed(network: Network, http: int) -> None:
    with network.watch(f"localhost:{http}"):
        pool = urllib3.HTTPConnectionPool("localhost", http, maxsize=1, retries=False)
        for _ in range(20):
            assert pool.request("GET", "/idle/5").status == 200
            time.sleep(0.02)
            # The pool looks whether its connection can be read, which tells that it ended.
            assert pool.request("GET", "/closing").status == 200


def test_a_client_that_goes_away_is_told_to_the_server(network: Network) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, network.watch("localhost"):
        port = listener.getsockname()[1]
        for ends in ("close", "reset"):
            client = socket.create_connection(("localhost", port))
            served, _ = listener.accept()
            served.settimeout(10)
            client.sendall(b"hello")
            assert served.recv(5) == b"hello"
            if ends == "reset":
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.close()
            if ends == "close":
                assert served.recv(1) == b""
            else:
                with pytest.raises(ConnectionResetError):
                    served.recv(1)
            served.close()


def test_a_host_that_is_down_or_resets_gives_its_own_errors(network: Network) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, network.watch("localhost"):
        port = listener.getsockname()[1]
        client = socket.create_connection(("localhost", port), timeout=10)
        served, _ = listener.accept()
        served.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        served.close()
        with client, pytest.raises(ConnectionResetError):
            client.recv(1)
        listener.close()
        for timeout in (10, None):
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("localhost", port), timeout=timeout)


def test_all_descriptors_come_back(network: Network, raw: int, https: int, certificates: Certificates) -> None:
    context = ssl.create_default_context(cafile=certificates.authority)

    def use() -> None:
        for port in (raw, https):
            open_ones = [socket.create_connection(("localhost", port)) for _ in range(40)]
            if port == https:
                open_ones = [context.wrap_socket(one, server_hostname="localhost") for one in open_ones]
            else:
                open_ones[0].sendall(b"left unread")
            for one in open_ones:
                one.close()

    with network.watch("localhost"):
        use()
        before = settled_descriptors()
        for effect in ("nothing", "latency", "reset", "blackhole"):
            with network.hit("nothing"):
                kept = [socket.create_connection(("localhost", raw)) for _ in range(10)]
            with network.hit(effect, 1_000):
                for one in kept:
                    one.sendall(b"more")
            for one in kept:
                one.close()
        use()
        # The blackhole keeps its listener and what fills it.
        assert settled_descriptors() <= before


def settled_descriptors() -> int:
    """Once they stay what they are: the relay's thread closes its ends a moment later."""
    last, since = descriptors(), time.monotonic()
    while time.monotonic() - since < 0.3:
        time.sleep(0.02)
        if descriptors() != last:
            last, since = descriptors(), time.monotonic()
    return last


def read_all(connection: socket.socket) -> bytes:
    parts = []
    while part := connection.recv(1 << 20):
        parts.append(part)
    return b"".join(parts)
