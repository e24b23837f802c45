"""A proxy before a store that does what networks and busy stores do, when a test says so."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

BUSY = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"


class FaultyStore:
    """Passes requests on to a server, but for those of which ``fault`` says otherwise.

    ``fault`` is given method, path and headers, and says None, ``reset`` (before an answer), ``lost`` (the
    request is done, and its answer is not heard), ``cut`` (amid the body), or a status such as 503.
    """

    def __init__(self, server: str) -> None:
        self.fault: Callable[[str, str, object], str | int | None] = lambda *_: None
        self.asked: list[tuple[str, str, str | None]] = []
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                proxy.asked.append((self.command, self.path, self.headers.get("Range")))
                fault = proxy.fault(self.command, self.path, self.headers)
                if fault == "reset":
                    self.reset()
                    return
                if isinstance(fault, int):
                    self.answer(fault, {"Content-Type": "application/xml"}, BUSY if fault == 503 else b"")
                    return
                upstream = http.client.HTTPConnection(urlsplit(server).netloc, timeout=30)
                upstream.request(self.command, self.path, body, dict(self.headers))
                answer = upstream.getresponse()
                content = answer.read()
                upstream.close()
                if fault == "lost":
                    self.reset()
                    return
                self.answer(answer.status, dict(answer.headers), content, cut=fault == "cut")

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_one

            def answer(self, status: int, headers: dict[str, str], content: bytes, cut: bool = False) -> None:
                self.send_response(status)
                for name, value in headers.items():
                    if name.lower() not in ("content-length", "connection", "transfer-encoding", "server"):
                        self.send_header(name, value)
                length = headers.get("Content-Length") if self.command == "HEAD" else str(len(content))
                self.send_header("Content-Length", length or "0")
                self.end_headers()
                if cut:
                    self.wfile.write(content[: len(content) // 2])
                    self.reset()
                elif self.command != "HEAD":
                    self.wfile.write(content)

            def reset(self) -> None:
                self.wfile.flush()
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.connection.close()
                self.close_connection = True

            def log_message(self, *_: object) -> None:
                """Nothing."""

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: object) -> None:
                """A connection that was reset is what was asked for."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
