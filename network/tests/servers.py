"""A real server of its own process: HTTP over TLS (`https`), plain HTTP (`http`), or raw bytes (`raw`).

    python servers.py KIND [CERTIFICATE]

Prints its port. `/bytes/N` answers N bytes, `/echo` what was sent, `/closing` closes after its answer, `/idle` some
milliseconds after it. `raw` sends back what it gets, and after the end of it the word `end`.
"""

from __future__ import annotations

import http.server
import socketserver
import ssl
import sys
import threading
import time


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        sent = self.rfile.read(int(self.headers.get("content-length", 0)))
        kind, _, number = self.path.strip("/").partition("/")
        body = sent if kind == "echo" else body_of(int(number)) if kind == "bytes" else self.path.encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        if kind == "closing":
            self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(body)
        if kind == "idle":
            self.wfile.flush()
            time.sleep(int(number) / 1000)
            self.close_connection = True

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        pass


class Raw(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while data := self.request.recv(65536):
            self.request.sendall(data)
        self.request.sendall(b"end")


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 256
    allow_reuse_address = True

    def handle_error(self, *_: object) -> None:
        pass


def body_of(size: int) -> bytes:
    return bytes(range(256)) * (size // 256) + bytes(range(size % 256))


def main() -> None:
    kind, *certificate = sys.argv[1:]
    server = Server(("127.0.0.1", 0), Raw if kind == "raw" else Handler)
    if kind == "https":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate[0])
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    # Ends with whoever started it.
    sys.stdin.read()


if __name__ == "__main__":
    main()
