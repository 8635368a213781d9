"""What a process does beside connecting: it forks, stops, lacks descriptors, loads libraries; and whose is what."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from harness import DESCRIPTORS, NOTHING_TO_PATCH, ROOT, UNATTRIBUTED, Network

HERE = Path(__file__).parent


def talk(port: int, text: bytes = b"hello") -> bytes:
    with socket.create_connection(("localhost", port), timeout=10) as connection:
        connection.sendall(text)
        return connection.recv(len(text))


def in_child(body: object) -> int:
    """Runs it in a forked child: 0 where it held."""
    pid = os.fork()
    if pid == 0:
        try:
            body()  # type: ignore[operator]
            os._exit(0)
        except BaseException as error:
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_unwatched_hosts_and_other_ports_are_not_asked_about(network: Network, raw: int) -> None:
    for hosts in (["elsewhere.example"], [f"localhost:{raw + 1}"]):
        with network.watch(*hosts), network.hit("refuse"):
            asked = network.asked()
            assert talk(raw) == b"hello"
            assert network.asked() == asked
    assert network.trouble() & NOTHING_TO_PATCH == 0


def test_an_address_is_a_host_too(network: Network, raw: int) -> None:
    with network.watch("127.0.0.1"), network.hit("refuse"):
        for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::ffff:127.0.0.1")):
            with socket.socket(family) as one, pytest.raises(ConnectionRefusedError):
                one.connect((address, raw))


def test_a_v6_socket_is_relayed_and_told_its_own_peer(network: Network, raw: int) -> None:
    with network.watch("127.0.0.1"), socket.socket(socket.AF_INET6) as one:
        one.connect(("::ffff:127.0.0.1", raw))
        assert one.getpeername()[:2] == ("::ffff:127.0.0.1", raw)
        one.sendall(b"hello")
        assert one.recv(5) == b"hello"


def test_what_was_bound_or_is_no_stream_is_left_alone(network: Network, raw: int) -> None:
    with network.watch("localhost", "127.0.0.1"), network.hit("refuse"):
        with socket.create_connection(("localhost", raw), source_address=("127.0.0.1", 0)) as bound:
            assert bound.getpeername() == ("127.0.0.1", raw)
        with socket.socket(type=socket.SOCK_DGRAM) as datagrams:
            datagrams.connect(("127.0.0.1", raw))


def test_a_forked_child_forgets_the_relay_and_the_invocation(network: Network, raw: int) -> None:
    with network.watch(f"localhost:{raw}"), socket.create_connection(("localhost", raw), timeout=10) as kept:
        kept.sendall(b"one")
        assert kept.recv(3) == b"one"
        with network.hit("refuse"):

            def connects() -> None:
                assert talk(raw) == b"hello"
                handle = network.arm("refuse")
                with pytest.raises(ConnectionRefusedError):
                    talk(raw)
                network.disarm(handle)
                assert talk(raw) == b"hello"

            assert in_child(connects) == 0
        # The parent's connection is still its relay's, and ends when the parent ends it.
        kept.sendall(b"two")
        assert kept.recv(3) == b"two"


def test_forks_while_threads_connect_never_hang(network: Network, raw: int) -> None:
    over = threading.Event()

    def connect() -> None:
        while not over.is_set():
            assert talk(raw) == b"hello"

    with network.watch(f"localhost:{raw}"), network.hit("latency", 1_000):
        threads = [threading.Thread(target=connect) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(30):
                assert in_child(lambda: talk(raw)) == 0
        finally:
            over.set()
            for thread in threads:
                thread.join()


STOPPED = """
import socket, sys
sys.path.insert(0, sys.argv[1])
from harness import Network
network, port = Network(), int(sys.argv[2])
with network.watch("localhost"), socket.create_connection(("localhost", port), timeout=10) as one:
    for line in sys.stdin:
        one.sendall(line.encode())
        print(one.recv(100).decode(), end="", flush=True)
"""


def test_a_relayed_connection_outlives_stop_and_continue(raw: int) -> None:
    command = [sys.executable, "-c", STOPPED, str(HERE), str(raw)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin and process.stdout
        for _ in range(3):
            process.stdin.write("hello\n")
            process.stdin.flush()
            assert process.stdout.readline() == "hello\n"
            process.send_signal(signal.SIGSTOP)
            time.sleep(0.3)
            process.send_signal(signal.SIGCONT)
        process.stdin.close()


def test_few_descriptors_mean_the_real_connection_not_an_error(network: Network, raw: int) -> None:
    def connects() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (120, 120))
        # As many as the process could have without us, less what the relay keeps for itself.
        room = 120 - len(os.listdir("/proc/self/fd")) - 8
        kept = [socket.create_connection(("localhost", raw), timeout=10) for _ in range(room // 3 + 20)]
        for one in kept:
            one.sendall(b"hello")
            assert one.recv(5) == b"hello"
        assert network.trouble() & DESCRIPTORS

    with network.watch(f"localhost:{raw}"):
        assert in_child(connects) == 0


def test_of_several_invocations_the_thread_says_whose_a_connection_is(network: Network, raw: int) -> None:
    """Where it does not, none is hit."""
    results: dict[str, object] = {}
    both_armed = threading.Barrier(2)

    def invocation(name: str, effect: str) -> None:
        handle = network.arm(effect)
        both_armed.wait()
        try:
            results[name] = talk(raw)
        except OSError as error:
            results[name] = type(error)
        both_armed.wait()
        network.disarm(handle)

    with network.watch(f"localhost:{raw}"):
        threads = [
            threading.Thread(target=invocation, args=pair) for pair in (("hit", "refuse"), ("not hit", "nothing"))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results == {"hit": ConnectionRefusedError, "not hit": b"hello"}
        assert network.trouble() & UNATTRIBUTED == 0
        with network.hit("refuse"), network.hit("refuse"):
            elsewhere = threading.Thread(target=lambda: results.update(elsewhere=talk(raw)))
            elsewhere.start()
            elsewhere.join()
        assert results["elsewhere"] == b"hello"
        assert network.trouble() & UNATTRIBUTED


LATER = """
import sys
sys.path.insert(0, sys.argv[1])
from harness import Network
network, port = Network(), int(sys.argv[2])
assert "_socket" not in sys.modules
with network.watch("127.0.0.1"), network.hit("refuse"):
    # Loaded only now, by its path.
    import socket
    try:
        socket.create_connection(("127.0.0.1", port))
    except ConnectionRefusedError:
        print("refused")
"""


def test_libraries_loaded_later_are_reached(raw: int) -> None:
    command = [sys.executable, "-S", "-c", LATER, str(HERE), str(raw)]
    if subprocess.run(
        [sys.executable, "-S", "-c", "import sys, _socket; print(_socket.__file__)"], capture_output=True
    ).returncode:
        pytest.skip("this interpreter has its sockets built in")
    assert subprocess.run(command, capture_output=True, text=True).stdout == "refused\n"


def test_the_library_keeps_none_of_the_c_librarys_names(network: Network) -> None:
    """Exported, they would be taken for the C library's, and the other way round."""
    names = subprocess.run(
        ["nm", "-D", "--defined-only", ROOT / "target/release/examples/libnetwork_harness.so"],
        capture_output=True,
        text=True,
    )
    if names.returncode:
        pytest.skip("nm is not installed")
    exported = {line.split()[-1] for line in names.stdout.splitlines()}
    assert exported and not exported & {"connect", "getaddrinfo", "getpeername", "dlopen", "faultlayer_network_dlopen"}
