"""What stands in the place of AWS's extensions on loopback, the AppConfig agent and the Parameters and Secrets
extension at once: plain sockets, in each way in which these can fail. One for the tests of all languages.

Usage: `python3 extension.py`, which writes its port and ends with its standard input. A line there says what it is from
now on: `plan JSON` (what it answers), or a way: `well`, `silent`, `slow`, `failing`, `garbage`, `short`, `large`,
`closing`, `init` (as the one for parameters before the first invocation), `gone` (nobody listens). Each line is
answered: with `done`, or, to `asked`, with a JSON list of what it was asked.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from contextlib import suppress


class Extension:
    def __init__(self) -> None:
        self.way, self.plan = "well", ""
        self.asked: list[dict[str, str | None]] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.listen, args=(self.listener,), daemon=True).start()

    def become(self, way: str) -> None:
        if way == "gone":
            # Else the thread that waits for the next connection would still get it.
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
        elif self.way == "gone":
            self.listener = socket.create_server(("127.0.0.1", self.port))
            threading.Thread(target=self.listen, args=(self.listener,), daemon=True).start()
        self.way = way

    def listen(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=self.serve, args=(listener.accept()[0],), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            head = b""
            while b"\r\n\r\n" not in head:
                more = connection.recv(4096)
                if not more:
                    return
                head += more
            first, *lines = head.decode().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in lines if line)
            self.asked.append({"path": first.split(" ")[1], "token": headers.get("x-aws-parameters-secrets-token")})
            self.answer(connection, first.split(" ")[1])

    def answer(self, connection: socket.socket, path: str) -> None:
        way, body = self.way, self.plan
        if path.startswith("/systemsmanager/"):
            body = json.dumps({"Parameter": {"Name": "plan", "Value": self.plan, "Version": 1}, "ResultMetadata": {}})
        whole = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body.encode())}\r\n\r\n{body}".encode()
        if way == "well":
            # Both forms that a body comes in.
            chunk = f"{len(body.encode()):x}\r\n{body}\r\n0\r\n\r\n"
            chunked = f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}".encode()
            connection.sendall(chunked if len(self.asked) % 2 else whole)
        elif way == "silent":
            connection.recv(1)
        elif way == "slow":
            for byte in whole * 100:
                connection.sendall(bytes([byte]))
                time.sleep(0.1)
        elif way == "failing":
            connection.sendall(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 5\r\n\r\nsorry")
        elif way == "init":
            said = b"not ready to serve traffic, please wait"
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n\r\n%s" % (len(said), said))
        elif way == "garbage":
            connection.sendall(bytes(range(256)) * 64)
        elif way == "short":
            connection.sendall(whole[:-1])
        elif way == "large":
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b" " * (2 << 20))


def main() -> None:
    extension = Extension()
    print(extension.port, flush=True)
    for line in sys.stdin:
        word, _, rest = line.rstrip("\n").partition(" ")
        said = "done"
        if word == "plan":
            extension.plan = rest
        elif word == "asked":
            said = json.dumps(extension.asked)
        else:
            extension.become(word)
        print(said, flush=True)


if __name__ == "__main__":
    main()
