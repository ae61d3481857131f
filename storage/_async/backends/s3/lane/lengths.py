"""How long the head of an answer says that its body is."""

from __future__ import annotations

from collections.abc import Mapping

from .transport import AnswerError

CHUNKED = -1
UNTIL_CLOSE = -2


def announced(headers: Mapping[str, str], *, old: bool = False) -> int:
    """Bytes of the body, or one of the above; refuses what two readers could read in two ways.

    Args:
        headers: By names in small letters, several of one name joined.
        old: It is HTTP/1.0, which knows no chunks.

    Raises:
        AnswerError: There is no saying.
    """
    length, coding = headers.get("content-length"), headers.get("transfer-encoding")
    if coding is not None:
        if coding.lower() != "chunked" or length is not None or old:
            raise AnswerError(f"Transfer-Encoding: {coding:.40}", sent=True)
        return CHUNKED
    if length is None:
        return UNTIL_CLOSE
    if not (length.isascii() and length.isdigit() and len(length) < 19):
        raise AnswerError(f"Content-Length: {length:.40}", sent=True)
    return int(length)
