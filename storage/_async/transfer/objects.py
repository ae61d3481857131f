"""One object: is it the same at both ends, and how does it get from one to the other."""

from __future__ import annotations

from typing import Any

from ..._core.errors import IntegrityError, ObjectNotFound
from ..._core.info import READ_ALL, Capability, ObjectInfo, WriteOptions
from ..base import AsyncBaseStore
from ..streams import AsyncReader

WHOLE = 1024 * 1024
"""Objects of at most so many bytes travel in one piece."""
PIECE = 1024 * 1024


async def copy_object(
    source: AsyncBaseStore, target: AsyncBaseStore, listed: ObjectInfo, new_key: str | None = None
) -> int:
    """Bring an object over, with its attributes where both ends keep them.

    Args:
        source: Where it is.
        target: Where it goes.
        listed: What the source's listing says of it.
        new_key: Its key there; None for the same.

    Returns:
        Its length in bytes.

    Raises:
        IntegrityError: What arrived has another length than what was read; nothing is published.
    """
    key = listed.key if new_key is None else new_key
    if _is_read_whole(source, listed):
        data: Any  # not every store's values are bytes
        data, info = await source.get_with_info(listed.key)
        length = len(data) if isinstance(data, bytes) else info.size or 0
        _check_length(info, length)
        stored = await target.put(key, data, **_attributes(source, target, info))
        _check_length(stored, length)
        return length
    async with source._reader(listed.key, READ_ALL) as reader:
        attributes = WriteOptions(**_attributes(source, target, reader.info))
        async with target._writer(key, attributes) as writer:
            async for chunk in reader:
                await writer.write(chunk)
            _check_length(reader.info, writer.tell())
    _check_length(writer.info, writer.tell())
    return writer.tell()


def _is_read_whole(source: AsyncBaseStore, info: ObjectInfo) -> bool:
    """Whether an object is small, or comes in one piece anyway."""
    if info.size is None:
        return Capability.STREAMS not in source.capabilities
    return info.size <= WHOLE


def _check_length(info: ObjectInfo, length: int) -> None:
    if info.size is not None and info.size != length:
        raise IntegrityError(
            f"{length} bytes were copied of an object of {info.size}", key=info.key
        )


def _attributes(source: AsyncBaseStore, target: AsyncBaseStore, info: ObjectInfo) -> dict[str, Any]:
    if Capability.ATTRIBUTES not in source.capabilities & target.capabilities:
        return {}
    return {"content_type": info.content_type, "metadata": info.metadata}


async def same_bytes(a: AsyncBaseStore, b: AsyncBaseStore, info: ObjectInfo) -> bool:
    """Whether two objects hold the same bytes, read from both ends."""
    return await read_both(a, b, info) is not None


async def read_both(
    a: AsyncBaseStore, b: AsyncBaseStore, info: ObjectInfo
) -> tuple[ObjectInfo, ObjectInfo] | None:
    """What was read from both ends, if it was the same bytes."""
    try:
        if _is_read_whole(a, info) or Capability.STREAMS not in b.capabilities:
            data, here = await a._read(info.key, READ_ALL)
            other, there = await b._read(info.key, READ_ALL)
            return (here, there) if data == other else None
        async with (
            a._reader(info.key, READ_ALL) as reader_a,
            b._reader(info.key, READ_ALL) as reader_b,
        ):
            same = await _same_streams(reader_a, reader_b)
            return (reader_a.info, reader_b.info) if same else None
    except ObjectNotFound:
        return None  # it went since it was listed


async def _same_streams(a: AsyncReader, b: AsyncReader) -> bool:
    while True:
        piece = await a.read(PIECE)
        if piece != await b.read(PIECE):
            return False
        if not piece:
            return True
