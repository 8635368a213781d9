"""What the tests share: servers in processes of their own, and the mechanics, loaded once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme
from harness import LIBRARY, Network


@pytest.fixture(scope="session")
def network() -> Network:
    assert LIBRARY.is_file(), f"{LIBRARY} is missing: run `make native-network`"
    return Network()


class Certificates:
    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        self.authority, self.server = str(folder / "authority.pem"), str(folder / "server.pem")
        authority.cert_pem.write_to_path(self.authority)
        authority.issue_cert("localhost", "127.0.0.1").private_key_and_cert_chain_pem.write_to_path(self.server)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@contextmanager
def server(kind: str, *arguments: str) -> Iterator[int]:
    command = [sys.executable, str(Path(__file__).with_name("servers.py")), kind, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdin
        yield int(process.stdout.readline())
        process.stdin.close()


@pytest.fixture(scope="session")
def https(certificates: Certificates) -> Iterator[int]:
    with server("https", certificates.server) as port:
        yield port


@pytest.fixture(scope="session")
def http() -> Iterator[int]:
    with server("http") as port:
        yield port


@pytest.fixture(scope="session")
def raw() -> Iterator[int]:
    with server("raw") as port:
        yield port
