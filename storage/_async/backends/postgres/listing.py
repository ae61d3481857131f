r"""Listings: page by page, each a query of its own, so that none holds on to an old state.

No key has a NUL, so the next key after any text is that text and a ``\x01``: every span of keys
begins with a text and ends before another.
"""

from __future__ import annotations

from typing import NamedTuple

_FIRST_SURROGATE, _AFTER_SURROGATES, _LAST = 0xD800, 0xE000, 0x10FFFF


class Span(NamedTuple):
    """The keys from ``start`` on, and below ``end``; None: to the last."""

    start: str
    end: str | None

    @classmethod
    def of(cls, prefix: str, start_after: str) -> Span | None:
        """The keys that begin with ``prefix`` and come after ``start_after``; None: no key does."""
        if _regular(prefix) != prefix:
            return None
        after = _regular(start_after)
        if after == start_after:
            start = after + "\x01" if after else ""
        elif start_after[len(after)] == "\0":
            start = after + "\x01"
        else:  # what would be encoded as a surrogate
            start = after + chr(_AFTER_SURROGATES)
        return cls(max(prefix, start, key=str.encode), above(prefix))

    def beyond(self, key: str) -> Span:
        """What is left after a key."""
        return Span(key + "\x01", self.end)

    def past(self, prefix: str) -> Span | None:
        """What is left after all that begins with ``prefix``."""
        start = above(prefix)
        return None if start is None else Span(start, self.end)

    @property
    def arguments(self) -> tuple[str, ...]:
        """As the statements take it."""
        return (self.start,) if self.end is None else (self.start, self.end)


def above(prefix: str) -> str | None:
    """The first text above all that begin with ``prefix``; None where there is none."""
    text = prefix.rstrip(chr(_LAST))
    if not text:
        return None
    following = ord(text[-1]) + 1
    return text[:-1] + chr(_AFTER_SURROGATES if following == _FIRST_SURROGATE else following)


def _regular(text: str) -> str:
    """What a text begins with that the server takes for text, too."""
    for index, character in enumerate(text):
        if character == "\0" or _FIRST_SURROGATE <= ord(character) < _AFTER_SURROGATES:
            return text[:index]
    return text
