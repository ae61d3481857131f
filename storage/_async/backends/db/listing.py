"""Listings: page by page, each a query of its own, so that none holds on to an old state."""

from __future__ import annotations

import sqlite3
from typing import Any, NamedTuple

from ...._core.info import ObjectInfo
from .objects import FIELDS, LIVE, Row

PAGE = 1000
"""Rows that a listing reads at a time."""

_LIST = "FROM objects WHERE key > CAST(? AS TEXT) AND key >= CAST(? AS TEXT)"
_TEXT = " AND key < x''"  # bytes come after all text; amplify-storage-utils takes any for keys
_BELOW = " AND key < CAST(? AS TEXT)"
_NEXT = f" ORDER BY key LIMIT {PAGE}"


class Span(NamedTuple):
    """What a listing is to give, in bytes: keys above ``after`` that begin with ``prefix``."""

    prefix: bytes
    after: bytes

    @classmethod
    def of(cls, prefix: str, start_after: str) -> Span:
        """With lone surrogates too: no key has any, but they have a place in the order."""
        return cls(_encoded(prefix), _encoded(start_after))

    def beyond(self, page: list[Any]) -> Span | None:
        """What is left after a page; None where it was the last."""
        return Span(self.prefix, page[-1][0].encode()) if len(page) == PAGE else None

    def past(self, prefix: str) -> Span:
        """What is left after all that begins with ``prefix``; no byte of UTF-8 is 255."""
        return Span(self.prefix, prefix.encode() + b"\xff")

    def select(
        self, connection: sqlite3.Connection, fields: str, condition: str = LIVE
    ) -> list[Any]:
        """The next page."""
        if not self.prefix:
            query = _LIST + _TEXT
            bounds: tuple[bytes, ...] = (self.after, b"")
        else:
            # No byte of UTF-8 is 255: the first key that is above all with the prefix is short.
            above = self.prefix[:-1] + bytes([self.prefix[-1] + 1])
            query = _LIST + _BELOW
            bounds = (self.after, self.prefix, above)
        return connection.execute(
            f"SELECT {fields} {query} AND {condition}{_NEXT}", bounds
        ).fetchall()


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def key_page(connection: sqlite3.Connection, span: Span) -> tuple[list[str], Span | None]:
    """The next keys, and what is left after them."""
    rows = span.select(connection, "key")
    return [key for (key,) in rows], span.beyond(rows)


def info_page(connection: sqlite3.Connection, span: Span) -> tuple[list[ObjectInfo], Span | None]:
    """The next objects, and what is left after them."""
    rows = span.select(connection, f"key, {FIELDS}")
    return [Row(*row[1:]).info(row[0]) for row in rows], span.beyond(rows)
