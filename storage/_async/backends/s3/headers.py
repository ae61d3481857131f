"""Objects of which only the attributes are asked for."""

from __future__ import annotations

from ...._core.errors import StoreUnavailable
from ...._core.info import ByteRange, ObjectInfo, ReadOptions
from . import attributes
from .requests import Requests


async def head(send: Requests, full_key: str, key: str) -> ObjectInfo:
    """What is known of an object, without reading it."""
    return attributes.info_of(key, await send("head_object", Key=full_key))


async def without_bytes(
    send: Requests, full_key: str, key: str, part: ByteRange | None, conditions: ReadOptions
) -> ObjectInfo:
    """The same where a range was wanted that has no bytes.

    Raises:
        StoreUnavailable: The object has such bytes.
    """
    info = await head(send, full_key, key)
    conditions.check(info)
    start, end = part.resolve(info.size or 0) if part else (0, 0)
    if start < end:
        raise StoreUnavailable("the server refused a range that the object has")
    return info
