"""Where an answer of HTTP/1.1 begins and ends. Bytes in, pieces of a body out; no I/O.

The head is kept until it is whole, then read by httptools, or in a shorter way if there is nothing
unusual in it. A body of known length never passes through the parser: its pieces are the very bytes
that came. A chunked one does. Whatever two readers could take for two different bodies is refused.
"""

from __future__ import annotations

from collections.abc import Mapping

from ....._core.errors import MissingExtra
from .heads import joined, keeps_alive, usual
from .lengths import CHUNKED, UNTIL_CLOSE, announced
from .transport import MOST_HEAD, AnswerError

try:
    from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser
except ImportError as error:
    raise MissingExtra.named("httptools", "s3") from error

MOST_HEADERS = 256
MOST_INTERIM = 16
SMALL = 512
"""Bytes; smaller pieces are gathered, since each object costs as much memory again."""
GATHERED = 64 * 1024


class Framing:
    """One answer, as its bytes come.

    Args:
        method: Of the request: the answer to a HEAD has no body, whatever its head says.
    """

    __slots__ = (
        "_early",
        "_fields",
        "_head_only",
        "_interim",
        "_missing",
        "_overhead",
        "_parser",
        "complete",
        "continued",
        "headers",
        "held",
        "keep_alive",
        "pieces",
        "status",
        "surplus",
        "touched",
    )

    def __init__(self, method: str) -> None:
        self.status = 0
        """That of the final answer; 0 until its head is there."""
        self.headers: Mapping[str, str] = {}
        self.pieces: list[bytes | bytearray | memoryview] = []
        self.held = 0
        """Bytes in the pieces."""
        self.complete = False
        self.continued = False
        """The server wants the body of the request."""
        self.keep_alive = False
        self.surplus = False
        """Bytes came after the end."""
        self.touched = False
        """Any byte came."""
        self._head_only = method == "HEAD"
        self._early = b""
        self._fields: list[tuple[bytes, bytes]] = []
        self._interim = 0
        self._missing = 0
        self._overhead = 0
        self._parser: HttpResponseParser | None = None

    def feed(self, data: bytes) -> None:
        """Take what came.

        Raises:
            AnswerError: It is not HTTP, or more than anybody needs.
        """
        self.touched = True
        if not self.status:
            data = self._take_heads(self._early + data if self._early else data)
        if data:
            self._take_body(data)

    def skip(self, size: int) -> None:
        """Count bytes of a body of known length that came, and went elsewhere."""
        self._missing -= size

    def feed_end(self) -> bool:
        """Take the end of the connection; whether it is that of the answer."""
        if self.status and self._missing == UNTIL_CLOSE:
            self.complete = True
        return self.complete

    def _take_heads(self, data: bytes) -> bytes:
        while not self.status:
            end = data.find(b"\r\n\r\n") + 4
            if end < 4 or end > MOST_HEAD:
                self._keep(data)
                return b""
            self._take_head(data[:end])
            data = data[end:]
        self._early = b""
        return data

    def _keep(self, data: bytes) -> None:
        if len(data) > MOST_HEAD:
            raise AnswerError(f"the head is longer than {MOST_HEAD} bytes", sent=True)
        if not data.startswith(b"HTTP/1."[: len(data)]):
            raise AnswerError(f"begins with {data[:20]!r}", sent=True)
        self._early = data

    def _take_head(self, head: bytes) -> None:
        found, old = usual(head), False
        if found is None:
            status, old = self._parse(head)
            if status < 200:
                self._take_interim(status)
                return
            found = status, joined(self._fields)
        status, headers = found
        self.headers = headers
        self.keep_alive = keeps_alive(headers, old=old)
        self._missing = announced(headers, old=old)
        if self._head_only or status in (204, 304) or not self._missing:
            self.complete = True
        elif self._missing == UNTIL_CLOSE:
            self.keep_alive = False
        if self.complete or self._missing != CHUNKED:
            self._parser = None  # refers back
        self.status = status

    def _parse(self, head: bytes) -> tuple[int, bool]:
        """Have the fields of a head that is not of the usual kind; its status, and its age."""
        # Not every version of the parser minds a return that ends no line.
        if not head.count(b"\r") == head.count(b"\n") == head.count(b"\r\n"):
            raise AnswerError("a line of the head is ended in another way", sent=True)
        self._fields = []
        self._parser = parser = HttpResponseParser(self)
        try:
            parser.feed_data(head)
        except (HttpParserError, HttpParserUpgrade) as error:
            raise AnswerError(f"the head is malformed: {error}", sent=True) from error
        status, version = parser.get_status_code(), parser.get_http_version()
        if version not in ("1.1", "1.0") or not head.startswith(b"HTTP/1.") or status > 599:
            raise AnswerError(f"begins with {head[:20]!r}", sent=True)
        if len(self._fields) > MOST_HEADERS:
            raise AnswerError(f"more than {MOST_HEADERS} headers", sent=True)
        return status, version == "1.0"

    def _take_interim(self, status: int) -> None:
        self._interim += 1
        if status == 101 or self._interim > MOST_INTERIM:
            raise AnswerError(f"{self._interim} interim answers, the last {status}", sent=True)
        self.continued = self.continued or status == 100

    def _take_body(self, data: bytes) -> None:
        if self.complete:
            self.surplus = True
        elif self._missing >= 0:
            self._take_counted(data)
        elif self._missing == CHUNKED:
            self._take_chunks(data)
        else:
            self._add(data)

    def _take_counted(self, data: bytes) -> None:
        if len(data) > self._missing:
            self.surplus = True
            data = data[: self._missing]
        self._missing -= len(data)
        self.complete = not self._missing
        self._add(data)

    def _take_chunks(self, data: bytes) -> None:
        held = self.held
        assert self._parser is not None
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            # Behind the end of the answer it reads on, as if there were another one.
            if not self.complete:
                raise AnswerError(f"a chunk is malformed: {error}", sent=True) from error
            self.surplus = True
        self._overhead = self._overhead + len(data) if self.held == held else 0
        if self._overhead > MOST_HEAD:
            raise AnswerError(f"more than {MOST_HEAD} bytes around chunks", sent=True)
        if self.complete:
            self._parser = None

    def _add(self, data: bytes) -> None:
        self.held += len(data)
        if len(data) < SMALL and self.pieces:
            last = self.pieces[-1]
            if type(last) is bytearray and len(last) < GATHERED:
                last += data
                return
            self.pieces.append(bytearray(data))
        else:
            self.pieces.append(data)

    # What the parser calls.

    def on_message_begin(self) -> None:
        self.surplus = self.surplus or self.complete

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.status:  # else a trailer
            self._fields.append((name, value))

    def on_body(self, data: bytes) -> None:
        if not self.complete:
            self._add(data)

    def on_message_complete(self) -> None:
        # A head without a body is complete too, but what follows from a head is ours to say.
        if self.status:
            self.complete = True
