"""A calendar server of one's own: answers what a test tells it to, also badly."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[BaseHTTPRequestHandler], None]


class CalendarServer:
    """``answers`` by path; ``seen`` are the requests' paths and headers."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.seen: list[tuple[str, dict[str, str]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                with contextlib.suppress(OSError):
                    outer.answers[self.path](self)

            def log_message(self, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server.server_port}{path}"

    def serve(self, path: str, body: bytes, status: int = 200, **headers: str) -> str:
        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            for name, value in headers.items():
                handler.send_header(name.replace("_", "-"), value)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)

        self.answers[path] = answer
        return self.url(path)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@contextlib.contextmanager
def dripping(beginning: bytes = b"", seconds: float = 20) -> Iterator[str]:
    """A server that sends one byte every tenth of a second, in the head or after ``beginning``."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def drip() -> None:
        with contextlib.suppress(OSError):
            connection, _address = listener.accept()
            connection.recv(4096)
            connection.sendall(beginning or b"HTTP/1.1 200 OK\r\nX-Slow: ")
            ends = time.monotonic() + seconds
            while not stop.wait(0.1) and time.monotonic() < ends:
                connection.sendall(b"a")
            connection.close()

    threading.Thread(target=drip, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/slow.ics"
    finally:
        stop.set()
        listener.close()


def calendar_of(*events: str, head: str = "") -> bytes:
    """An iCalendar file of VEVENT bodies, one property a line."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", *head.split()]
    for number, event in enumerate(events):
        own = event.strip().splitlines()
        uid = [] if any(line.strip().startswith("UID") for line in own) else [f"UID:{number}@elsewhere"]
        lines += ["BEGIN:VEVENT", *uid, "DTSTAMP:20261101T000000Z", *(line.strip() for line in own), "END:VEVENT"]
    return ("\r\n".join([*lines, "END:VCALENDAR"]) + "\r\n").encode()
