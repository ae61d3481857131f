"""Heads of answers: what their lines say, and the short way to read those of the usual kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_STATUS = {f"HTTP/1.1 {status} ": status for status in range(200, 600)}
_FRAMING = frozenset({"transfer-encoding", "upgrade"})
"""What changes how the rest is to be read is the parser's to read."""
_MOST_LINES = 64
_MOST_NAMES = 512
"""Servers are free to invent names."""

_names: dict[bytes, str] = {}
_usual: dict[str, str] = {}
"""Names that the parser has seen, as servers write them, with their small letters."""


def usual(head: bytes) -> tuple[int, dict[str, str]] | None:
    """Status and headers of a head in which nothing is unusual; None: the parser is to read it.

    Each line is printable ASCII and says something, and none has a name that the parser has not
    let pass before, or that is there twice.

    Args:
        head: With the empty line that ends it.
    """
    if not head.isascii():
        return None
    lines = head.decode("ascii").split("\r\n")
    status = _STATUS.get(lines[0][:13])
    if status is None or len(lines) > _MOST_LINES or not "".join(lines).isprintable():
        return None
    headers: dict[str, str] = {}
    for line in lines[1:-2]:
        raw, _, value = line.partition(": ")
        name, text = _usual.get(raw), value.strip(" ")
        if name is None or not text or name in headers:
            return None
        headers[name] = text
    return status, headers


def joined(fields: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by their names, as the parser gives them; several of one name are joined."""
    headers: dict[str, str] = {}
    for raw, value in fields:
        name = _names.get(raw) or _named(raw)
        text = value.decode("utf-8", "surrogateescape").strip(" \t")
        headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return headers


def _named(raw: bytes) -> str:
    text = raw.decode("latin-1")
    name = text.lower()
    if len(_names) < _MOST_NAMES:
        _names[raw] = name
        if name not in _FRAMING:
            _usual[text] = name
    return name


def keeps_alive(headers: Mapping[str, str], *, old: bool = False) -> bool:
    """Whether the connection may be used again.

    Args:
        headers: By names in small letters.
        old: It is HTTP/1.0, which has to be asked for that.
    """
    connection = headers.get("connection")
    if connection is None:
        return not old
    tokens = {token.strip() for token in connection.lower().split(",")}
    return "close" not in tokens and (not old or "keep-alive" in tokens)
