"""A small HTTP server in a thread: objects with etags, ranges and conditions, and odd answers."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import unquote

_versions = count(1)


@dataclass
class Stored:
    """One object."""

    data: bytes
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        mark = sha256(self.data).hexdigest()[:8]
        own = {
            "ETag": f'"{next(_versions)}-{mark}"',
            "Last-Modified": formatdate(usegmt=True),
        }
        self.headers = {**own, **self.headers}


@dataclass
class Odd:
    """An answer that is given to whatever is asked, as it is."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    methods: tuple[str, ...] = ("GET", "HEAD")
    """To which methods; others are answered as ever."""


class WebServer:
    """Serves `objects` and `odd` answers, by their decoded paths; `seen` is who asked for what."""

    def __init__(self) -> None:
        self.objects: dict[str, Stored] = {}
        self.odd: dict[str, Odd] = {}
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        self._http = _Listener(("127.0.0.1", 0), _Handler)
        self._http.web = self  # type: ignore[attr-defined]
        self.port: int = self._http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    @contextmanager
    def running(self) -> Iterator[WebServer]:
        """Answer as long as the block goes on."""
        thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._http.shutdown()
            self._http.server_close()
            thread.join()

    def put(self, path: str, data: bytes, **headers: str) -> Stored:
        """Have an object at a path; ``_`` in the name of a header is ``-``."""
        own = {name.replace("_", "-"): value for name, value in headers.items()}
        stored = self.objects[path] = Stored(data, own)
        return stored

    def asked(self, path: str) -> list[tuple[str, dict[str, str]]]:
        """Methods and headers of all requests for a path so far."""
        return [(method, headers) for method, asked, headers in self.seen if asked == path]


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients may go when they like."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def do_GET(self) -> None:
        web: WebServer = self.server.web
        path = unquote(self.path.partition("?")[0])
        web.seen.append((self.command, path, {k.lower(): v for k, v in self.headers.items()}))
        odd, stored = web.odd.get(path), web.objects.get(path)
        if odd is not None and self.command in odd.methods:
            self._send(odd.status, odd.headers, odd.body)
        elif stored is None:
            self._send(404, {}, b"nothing here")
        else:
            self._send(*self._found(stored))

    do_HEAD = do_GET  # noqa: N815 - the name is the standard library's

    def _found(self, stored: Stored) -> tuple[int, dict[str, str], bytes]:
        etag, size = stored.headers["ETag"], len(stored.data)
        if self.headers.get("If-Match", etag) != etag:
            return 412, {}, b""
        if self.headers.get("If-None-Match") == etag:
            return 304, stored.headers, b""
        match = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if match is None or self.headers.get("If-Range", etag) != etag or self.command == "HEAD":
            return 200, stored.headers, stored.data
        start = int(match[1]) if match[1] else max(0, size - int(match[2]))
        end = min(size, int(match[2]) + 1) if match[1] and match[2] else size
        if start >= end:
            return 416, {"Content-Range": f"bytes */{size}"}, b""
        told = {"Content-Range": f"bytes {start}-{end - 1}/{size}"}
        return 206, {**stored.headers, **told}, stored.data[start:end]

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        if not {"Content-Length", "Transfer-Encoding"} & headers.keys() and status != 304:
            headers = {"Content-Length": str(len(body)), **headers}
        lines = [f"HTTP/1.1 {status} Some Reason", f"Date: {formatdate(usegmt=True)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        head = "\r\n".join([*lines, "", ""]).encode()
        # In one piece, or the second one would wait for an acknowledgement of the first.
        self.wfile.write(head if self.command == "HEAD" else head + body)
        self.close_connection |= headers.get("Connection") == "close"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name it has
        """Say nothing."""
