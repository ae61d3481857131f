"""How a request looks on the wire."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .transport import Request, lines_of

IDEMPOTENT = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PUT"})
"""Methods that may be sent again where nobody knows what became of the first time."""
JOINED = 64 * 1024
"""Bytes of a request that are sent in one piece, at the price of a copy."""
PIECE = 256 * 1024


def encode(request: Request) -> bytes:
    """The head of a request.

    Raises:
        ValueError: It would be taken for something else than one request.
    """
    method, target = request.method, request.target
    if not (target.isascii() and target.isprintable() and method.isalpha()) or " " in target:
        raise ValueError(f"{method} {target!r} is not percent-encoded")
    text = f"{method} {target} HTTP/1.1\r\n{request.common.text}{lines_of(request.headers)}"
    if request.body or method in ("PUT", "POST", "PATCH"):
        text += f"Content-Length: {length(request.body)}\r\n"
        if request.body and request.expect:
            text += "Expect: 100-continue\r\n"
    return f"{text}\r\n".encode()


def length(body: Sequence[bytes | memoryview]) -> int:
    """The number of bytes of a body."""
    return sum(piece.nbytes if isinstance(piece, memoryview) else len(piece) for piece in body)


def pieces(body: Sequence[bytes | memoryview]) -> Iterator[memoryview]:
    """The bytes of a body, in memory as they are, no more than `PIECE` at once."""
    for piece in body:
        view = memoryview(piece).cast("B")
        for start in range(0, len(view), PIECE):
            yield view[start : start + PIECE]
