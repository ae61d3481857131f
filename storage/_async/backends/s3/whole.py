"""Objects, and ranges of them, read into memory as a whole, and checked."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator
from typing import NamedTuple, TypeVar

from ...._core import calls
from ...._core.errors import IntegrityError, MalformedResponse
from ...._core.info import ReadOptions
from . import attributes, checksums, parallel
from .filling import Filling, Memory
from .reading import Download, Replaced
from .settings import ObjectRequests

T = TypeVar("T")

_MD5 = re.compile(r"[0-9a-f]{32}")


class _Found(NamedTuple):
    data: bytes
    download: Download
    md5: str | None
    """The MD5 digest, where the etag looks like one and is another."""


async def read(
    send: ObjectRequests, full_key: str, key: str, options: ReadOptions
) -> tuple[bytes, Download]:
    """An object, or the range asked for; and its reading, which tells what the whole object is.

    What was replaced while it was read, or came in other bytes than were announced, is read again
    from its beginning, once.
    """
    first = None
    try:
        first = await _once(send, full_key, key, options)
        if first.md5 is None:
            return first.data, first.download
    except IntegrityError as error:
        if isinstance(error, MalformedResponse):
            raise
    except Replaced:
        if options.if_match is not None:
            raise
    second = await _once(send, full_key, key, options)
    if second.md5 is None:
        return second.data, second.download
    if first is not None and first.md5 == second.md5:
        send.etags_are_md5 = False  # it is the very same again: these etags are something else
        return second.data, second.download
    raise IntegrityError("the bytes that came do not have the etag that was told, an MD5 digest")


async def _once(send: ObjectRequests, full_key: str, key: str, options: ReadOptions) -> _Found:
    download = Download(send, full_key, key, options)
    await download.open()
    start, end = download.span
    if end - start > parallel.LARGE:
        place = Memory(start)
        with send.crowd.one():
            await Filling(download, place, _all_at_once).run()
        data = place.content()
    else:
        data = await download.content()
    return _Found(data, download, await _other_md5(send, download, data))


def _all_at_once(source: AsyncIterator[T]) -> AsyncIterator[T]:
    """The deadline is on the whole."""
    return source


async def _other_md5(send: ObjectRequests, download: Download, data: bytes) -> str | None:
    """The digest of a whole object, if its etag looks like one and is another.

    That of an object that was stored in one part, and is not encrypted with a key, is its digest
    on most servers. It is looked at only where nothing better was told.
    """
    told = download.told
    if not told or not send.etags_are_md5 or download.summed:
        return None
    etag = attributes.unquoted(told["ETag"]) or ""
    if not _MD5.fullmatch(etag):
        return None
    if "kms" in str(told.get("ServerSideEncryption", "")) or told.get("SSECustomerAlgorithm"):
        return None
    if len(data) < checksums.LARGE:
        found = _md5(data)
    else:
        found = await calls.call(_md5, data)
    return None if found == etag else found


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
