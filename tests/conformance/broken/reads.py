"""Broken in how they read, and in what they tell of an object."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from storage._async.pieces import Body
from storage._core.errors import ObjectNotFound
from storage._core.info import (
    READ_ALL,
    ByteRange,
    Capability,
    ObjectInfo,
    ReadOptions,
    WriteOptions,
)

from .healthy import HealthyStore, caught_by


@caught_by("test_missing_key", "test_copy_of_nothing", "test_errors_travel")
class EmptyForMissing(HealthyStore):
    """What is missing is empty."""

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        try:
            return await super()._get(key, options)
        except ObjectNotFound:
            return b"", ObjectInfo(key, 0)


@caught_by("test_missing_key", "test_errors_say_where", "test_errors_travel")
class BareErrors(HealthyStore):
    """Raises whatever comes from below."""

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        if key not in self.objects:
            raise KeyError(key)
        return await super()._get(key, options)


@caught_by("test_ranges", "test_any_range", "test_get_with_info", "test_model")
class InclusiveRanges(HealthyStore):
    """A range includes its end, as in HTTP."""

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        part = options.byte_range
        if part is not None and part.end:
            options = replace(options, byte_range=ByteRange(part.start, part.end + 1))
        return await super()._get(key, options)


@caught_by(
    "test_ranges",
    "test_ranges_of_an_empty_object",
    "test_many_ranges_without_open_ends",
)
class UnsatisfiableRanges(HealthyStore):
    """A range past the end is an error, as in HTTP."""

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        part = options.byte_range
        if part is not None and part.start >= len(self.objects.get(key, b"")):
            raise OSError("416 Range Not Satisfiable")
        return await super()._get(key, options)


@caught_by("test_ranges", "test_any_range")
class ForgetsSuffixes(HealthyStore):
    """A negative start means the beginning."""

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        part = options.byte_range
        if part is not None and part.start < 0:
            options = replace(options, byte_range=ByteRange(0, part.end))
        return await super()._get(key, options)


@caught_by("test_ranges", "test_get_with_info")
class SizeOfTheRange(HealthyStore):
    """Tells the size of the part for that of the object."""

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        data, info = await super()._get(key, options)
        return data, replace(info, size=len(data))


@caught_by("test_many_ranges", "test_far_ranges", "test_many_ranges_without_open_ends")
class SortsRanges(HealthyStore):
    """Gives ranges in the order of the object, not of the question."""

    async def _get_ranges(
        self, key: str, parts: Sequence[ByteRange], if_match: str | None
    ) -> Sequence[bytes]:
        ordered = sorted(parts, key=lambda part: part.start)
        return await super()._get_ranges(key, ordered, if_match)


@caught_by("test_ranges_that_make_no_sense")
class AnyRange(HealthyStore):
    """Takes ranges that make no sense for empty ones."""

    async def get_range(
        self, key: str, start: int = 0, end: int | None = None, *, if_match: str | None = None
    ) -> bytes:
        return self.objects[key][start:end]


@caught_by("test_reader_keeps_one_version")
class Splice(HealthyStore):
    """Each piece is of the object as it is by then."""

    @asynccontextmanager
    async def _open(self, key: str, options: ReadOptions) -> AsyncIterator[Body]:
        _, info = await self._get(key, options)
        start, end = (options.byte_range or ByteRange()).resolve(info.size or 0)

        async def pieces() -> AsyncIterator[bytes]:
            for at in range(start, end, 10_000):
                data, _ = await self._get(key, ReadOptions(ByteRange(at, min(end, at + 10_000))))
                yield data

        yield Body(info, pieces())


@caught_by(
    "test_reader", "test_reader_seeks", "test_reader_is_a_file", "test_streamed_reading",
    "test_many_readers_at_once", "test_reader_of_another_store", "test_said_alike",
)  # fmt: skip
class StreamsFromTheBeginning(HealthyStore):
    """Streams know no ranges, and lose their last piece; one reader at a time."""

    @asynccontextmanager
    async def _open(self, key: str, options: ReadOptions) -> AsyncIterator[Body]:
        data, info = await self._get(key, READ_ALL)

        async def pieces() -> AsyncIterator[bytes]:
            yield data[: len(data) - 1]

        yield Body(replace(info, size=None, etag="another"), pieces())


@caught_by("test_reader_iterates", "test_streamed_reading", "test_stream")
class PiecesMissing(HealthyStore):
    """Leaves out every second piece of what it streams, and of what it stores."""

    @asynccontextmanager
    async def _open(self, key: str, options: ReadOptions) -> AsyncIterator[Body]:
        async with super()._open(key, options) as body:

            async def pieces() -> AsyncIterator[bytes]:
                async for piece in body.chunks:
                    yield piece
                    await anext(body.chunks, b"")

            yield Body(body.info, pieces())

    async def put(self, key: str, data: Any, **options: Any) -> ObjectInfo:
        data = data[::2] if isinstance(data, list | tuple) else data
        return await super().put(key, data, **options)


@caught_by("test_readers_let_go", "test_streamed_reading_is_left_early", "test_closing_lets_go")
class LeaksDescriptors(HealthyStore):
    """Opens something for each reader, and forgets it."""

    @asynccontextmanager
    async def _open(self, key: str, options: ReadOptions) -> AsyncIterator[Body]:
        self._forgotten = [*self._forgotten, os.pipe()]
        async with super()._open(key, options) as body:
            yield body

    def __del__(self) -> None:
        for pair in self._forgotten:
            for number in pair:
                LEAKED.append(number)

    _forgotten: list[tuple[int, int]] = []  # noqa: RUF012 - replaced, not changed


LEAKED: list[int] = []
"""Descriptors that broken stores have left open, for the tests to close."""


def _told(store: HealthyStore, key: str, **changes: Any) -> ObjectInfo:
    known = store._shelf._known
    info = replace(known[key][1], **changes)
    known[key] = store.objects[key], info, None
    return info


@caught_by(
    "test_etag_follows_the_content", "test_etag_follows_every_kind_of_write", "test_if_match",
    "test_one_swapper", "test_no_increment_is_lost", "test_read_conditions",
    "test_writer_if_match", "test_model",
)  # fmt: skip
class EtagOfTheSize(HealthyStore):
    """The etag tells sizes apart, not contents."""

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        await super()._put(key, data, options)
        return _told(self, key, etag=f"size-{len(data)}")


@caught_by("test_etag_is_stable", "test_said_alike", "test_if_match")
class EtagOfTheMoment(HealthyStore):
    """The etag is another one each time it is asked for."""

    async def _head(self, key: str) -> ObjectInfo:
        info = await super()._head(key)
        self._count += 1
        return replace(info, etag=f"{info.etag}-{self._count}")

    _count = 0


@caught_by("test_if_match", "test_delete_if_match", "test_read_conditions", "test_etag_is_stable")
class NoEtag(HealthyStore):
    """Promises conditions and knows no etags."""

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        await super()._put(key, data, options)
        return _told(self, key, etag=None)


@caught_by("test_fields")
class NaiveTimes(HealthyStore):
    """Times without a zone."""

    async def _head(self, key: str) -> ObjectInfo:
        info = await super()._head(key)
        return replace(info, modified=datetime.now(UTC).replace(tzinfo=None))


@caught_by("test_fields")
class WrongDigest(HealthyStore):
    """A checksum that is none."""

    async def _head(self, key: str) -> ObjectInfo:
        return replace(await super()._head(key), checksum="md5:d41d8cd98f00b204e9800998ecf8427e")


@caught_by("test_said_alike", "test_model", "test_streamed_put_tells_alike")
class SizeInBlocks(HealthyStore):
    """Heads tell the size on the disk."""

    async def _head(self, key: str) -> ObjectInfo:
        info = await super()._head(key)
        return replace(info, size=((info.size or 0) + 511) // 512 * 512)


@caught_by("test_capabilities")
class UndeclaredOrder(HealthyStore):
    """Does not say what it can do."""

    capabilities = ~Capability.NONE & ~Capability.ORDERED
