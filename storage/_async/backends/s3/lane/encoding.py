"""How a request looks on the wire."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .transport import Request

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
    target = request.target
    lines = [f"{request.method} {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in request.headers]
    if request.body or request.method in ("PUT", "POST", "PATCH"):
        lines.append(f"Content-Length: {length(request.body)}")
        if request.body and request.expect:
            lines.append("Expect: 100-continue")
    lines += ("", "")
    text = "\r\n".join(lines)
    breaks = len(lines) - 1
    if text.count("\r") != breaks or text.count("\n") != breaks or "\0" in text:
        raise ValueError("a header or the target holds a line break or a NUL")
    if not (target.isascii() and target.isprintable()) or " " in target:
        raise ValueError(f"{target!r} is not percent-encoded")
    return text.encode()


def length(body: Sequence[bytes | memoryview]) -> int:
    """The number of bytes of a body."""
    return sum(piece.nbytes if isinstance(piece, memoryview) else len(piece) for piece in body)


def pieces(body: Sequence[bytes | memoryview]) -> Iterator[memoryview]:
    """The bytes of a body, in memory as they are, no more than `PIECE` at once."""
    for piece in body:
        view = memoryview(piece).cast("B")
        for start in range(0, len(view), PIECE):
            yield view[start : start + PIECE]
