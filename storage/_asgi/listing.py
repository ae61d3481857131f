"""Pages of a listing, and their form for programs."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from .._async.base import AsyncBaseStore
from .._core.closing import closing
from .._core.info import Capability, ObjectInfo
from .._core.keys import MAX_KEY_BYTES
from . import conditions
from .replies import NOSNIFF, Refusal, Reply


@dataclass(frozen=True)
class Question:
    """Which page is asked for.

    Args:
        prefix: What all its keys begin with.
        delimiter: Keys are folded up to its next place after the prefix; empty: none is.
        start_after: Where the page before ended.
        limit: How many keys and folded prefixes it may have.
    """

    prefix: str
    delimiter: str
    start_after: str
    limit: int

    @classmethod
    def of(cls, query: dict[str, str], page_size: int, delimiter: str = "") -> Question:
        """The question of a request, by the parameters of its query."""
        text = query.get("limit", str(page_size))
        if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text)):
            raise Refusal(400, "the limit is no number above 0")
        prefix = query.get("prefix", "")
        if len(prefix) > MAX_KEY_BYTES:  # the page grows by the square of its levels
            raise Refusal(400, "no key begins with so much")
        return cls(
            prefix,
            query.get("delimiter", delimiter),
            query.get("start_after", ""),
            min(int(text), page_size),
        )


@dataclass(frozen=True)
class Page:
    """A page of the answer: names are without the application's own prefix.

    Args:
        entries: Objects, and folded prefixes without an info, in the order of their bytes.
        more: Whether there is another page.
    """

    entries: list[tuple[str, ObjectInfo | None]]
    more: bool

    @property
    def next(self) -> str | None:
        """Where the next one starts."""
        return self.entries[-1][0] if self.more else None


async def page(store: AsyncBaseStore, root: str, question: Question) -> Page:
    """The page that is asked for; ``root`` is what all keys of the application begin with."""
    if question.delimiter:
        found = await _level(store, root, question)
    elif Capability.ORDERED in store.capabilities:
        found = await _in_order(store, root, question)
    else:
        found = await _smallest(store, root, question)
    cut = [(name.removeprefix(root), info) for name, info in found[: question.limit]]
    return Page(cut, len(found) > question.limit)


async def _in_order(
    store: AsyncBaseStore, root: str, question: Question
) -> list[tuple[str, ObjectInfo | None]]:
    found: list[tuple[str, ObjectInfo | None]] = []
    after = root + question.start_after if question.start_after else ""
    async with closing(store.list(root + question.prefix, start_after=after)) as infos:
        async for info in infos:
            found.append((info.key, info))
            if len(found) > question.limit:
                break
    return found


async def _smallest(
    store: AsyncBaseStore, root: str, question: Question
) -> list[tuple[str, ObjectInfo | None]]:
    """The first keys of a store that lists in no order: all are looked at, few are kept."""
    kept: dict[str, ObjectInfo | None] = {}
    after = root + question.start_after if question.start_after else ""
    async with closing(store.list(root + question.prefix, start_after=after)) as infos:
        async for info in infos:
            kept[info.key] = info
            if len(kept) > 2 * question.limit + 16:
                kept = dict(heapq.nsmallest(question.limit + 1, kept.items(), key=_name))
    return heapq.nsmallest(question.limit + 1, kept.items(), key=_name)


async def _level(
    store: AsyncBaseStore, root: str, question: Question
) -> list[tuple[str, ObjectInfo | None]]:
    if Capability.ORDERED in store.capabilities:
        near = await _near(store, root, question)
        if near is not None:
            return near
    found = await store.list_with_delimiter(root + question.prefix, question.delimiter)
    folded = iter((prefix, None) for prefix in found.prefixes)
    objects = iter((info.key, info) for info in found.objects)
    merged: Iterator[tuple[str, ObjectInfo | None]] = heapq.merge(folded, objects, key=_name)
    after = root + question.start_after
    rest = (entry for entry in merged if not question.start_after or entry[0] > after)
    return [*islice(rest, question.limit + 1)]


async def _near(
    store: AsyncBaseStore, root: str, question: Question
) -> list[tuple[str, ObjectInfo | None]] | None:
    """The page, if the next few keys make it: levels are read whole, and may be of millions."""
    prefix = root + question.prefix
    found: dict[str, ObjectInfo | None] = {}
    looks = 2 * question.limit + 16
    start = root + question.start_after if question.start_after else ""
    async with closing(store.list(prefix, start_after=start)) as infos:
        async for info in infos:
            cut = info.key.find(question.delimiter, len(prefix))
            name = info.key if cut < 0 else info.key[: cut + len(question.delimiter)]
            if name > start:
                found[name] = info if cut < 0 else None
            looks -= 1
            if len(found) > question.limit:
                break
            if not looks:
                return None
    return [*found.items()]


def _name(entry: tuple[str, Any]) -> str:
    return entry[0]


def told(question: Question, found: Page) -> Reply:
    """The page as JSON."""
    text = {
        "prefix": question.prefix,
        "delimiter": question.delimiter,
        "prefixes": [name for name, info in found.entries if info is None],
        "objects": [_object(name, info) for name, info in found.entries if info is not None],
        "next": found.next,
    }
    headers = (
        ("content-type", "application/json"),
        NOSNIFF,
        ("cache-control", "no-cache"),
        ("vary", "accept"),
    )
    return Reply(200, headers, json.dumps(text, ensure_ascii=False).encode())


def _object(name: str, info: ObjectInfo) -> dict[str, Any]:
    return {
        "key": name,
        "size": info.size,
        "etag": conditions.tag_of(info.etag),
        "modified": info.modified.isoformat() if info.modified else None,
        "content_type": info.content_type,
    }
