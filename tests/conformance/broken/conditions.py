"""Broken in what they promise on conditions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from storage._async.pieces import Sink
from storage._core.errors import ObjectExists, PreconditionFailed
from storage._core.info import (
    WRITE_OVER,
    Capability,
    ObjectInfo,
    ReadOptions,
    WriteOptions,
)

from .healthy import HealthyStore, caught_by

ALL = ~Capability.NONE


@caught_by("test_one_creator", "test_one_streaming_creator", "test_one_swapper", "test_one_copier",
           "test_no_increment_is_lost", "test_one_mover")  # fmt: skip
class LooksThenWrites(HealthyStore):
    """Two steps: many look before the first one writes."""

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        options.check(key, self._shelf.peek(key))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return await super()._put(key, data, replace(options, if_absent=False, if_match=None))


@caught_by("test_one_deleter", "test_delete_against_put")
class LooksThenDeletes(HealthyStore):
    """Two steps: the delete may meet another version than it looked at."""

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        if if_match is not None:
            found = self._shelf.peek(key)
            if found is None or found.etag != if_match:
                raise PreconditionFailed("the object is another one")
            for _ in range(3):
                await asyncio.sleep(0)
            missing_ok = True
        await super()._delete(key, missing_ok, None)


@caught_by("test_writer_if_absent", "test_writer_if_match", "test_one_streaming_creator")
class LooksAtTheBeginning(HealthyStore):
    """A writer looks when it opens, and not when it publishes."""

    @asynccontextmanager
    async def _create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        options.check(key, self._shelf.peek(key))
        async with super()._create(key, replace(options, if_absent=False, if_match=None)) as sink:
            yield sink


@caught_by("test_if_absent", "test_if_match", "test_one_creator", "test_one_swapper", "test_model")
class IgnoresConditions(HealthyStore):
    """Takes no notice, without a word."""

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        return await super()._put(key, data, replace(options, if_absent=False, if_match=None))


@caught_by("test_if_absent", "test_if_match", "test_delete_if_match", "test_read_conditions",
           "test_copy_if_absent", "test_attributes", "test_attributes_of_streams",
           capabilities=Capability.ORDERED)  # fmt: skip
class UndeclaredConditions(HealthyStore):
    """Declares nothing, and does something all the same, as well as it can."""

    capabilities = Capability.ORDERED

    def _require(self, operation: str, key: str, needed: Capability, what: str) -> None:
        pass


@caught_by("test_delete_if_match", "test_one_deleter")
class DeletesAnyVersion(HealthyStore):
    """Deletes whatever is there."""

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        await super()._delete(key, missing_ok or if_match is not None, None)


@caught_by("test_read_conditions", "test_read_conditions_of_nothing")
class ReadsAnyVersion(HealthyStore):
    """Reads whatever is there, and nothing where nothing is."""

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        if options.conditional and key not in self.objects:
            return b"", ObjectInfo(key)
        return await super()._get(key, ReadOptions(options.byte_range))


@caught_by("test_copy_if_absent", "test_one_copier", "test_one_mover")
class CopiesOver(HealthyStore):
    """Copies over what is there."""

    async def _copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        return await super()._copy(source, target, False)


@caught_by("test_copy_if_absent", "test_one_mover")
class MovesAway(HealthyStore):
    """A move that loses has removed its source."""

    async def _move(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        data, _ = await self._get(source, ReadOptions())
        await self._delete(source, True, None)
        return await self._put(target, data, WriteOptions(if_absent))


@caught_by("test_both_conditions")
class TakesBoth(HealthyStore):
    """Takes conditions that exclude each other for the first of them."""

    async def put(self, key: str, data: Any, **options: Any) -> ObjectInfo:
        if options.get("if_absent"):
            options.pop("if_match", None)
        return await super().put(key, data, **options)


@caught_by("test_if_absent", "test_one_creator", "test_writer_if_absent", "test_errors_travel")
class OwnErrors(HealthyStore):
    """Fails with an error that no process can send to another."""

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        try:
            return await super()._put(key, data, options)
        except ObjectExists as error:
            error.args = (lambda: "no pickle for me",)
            raise PreconditionFailed(error.args) from error  # type: ignore[arg-type]


# -- attributes -----------------------------------------------------------------------------


@caught_by("test_attributes", "test_attributes_alone", "test_attributes_of_streams",
           "test_strange_attributes", "test_metadata_is_taken_at_once")  # fmt: skip
class ForgetsAttributes(HealthyStore):
    """Promises to keep attributes, and does not."""

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        return await super()._put(key, data, replace(options, content_type=None, metadata=None))


@caught_by("test_strange_attributes")
class ChangesAttributes(HealthyStore):
    """Keeps what HTTP headers keep."""

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        pairs = {name.lower(): text.strip() for name, text in (options.metadata or {}).items()}
        return await super()._put(key, data, replace(options, metadata=pairs))


@caught_by("test_metadata_is_taken_at_once")
class KeepsTheMapping(HealthyStore):
    """Keeps the caller's own mapping."""

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        info = await super()._put(key, data, options)
        if options.metadata:
            info = replace(info, metadata=options.metadata)
            self._shelf._known[key] = self.objects[key], info, None
        return info


@caught_by("test_attributes_go_with_the_object")
class AttributesOutlive(HealthyStore):
    """An object without attributes inherits those of the one before it."""

    _old: Mapping[str, WriteOptions] = {}

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        if options.attributed:
            self._old = {**self._old, key: options}
        return await super()._put(key, data, self._old.get(key, options))


@caught_by("test_no_attributes")
class MindsEmptyAttributes(HealthyStore):
    """Refuses what it is not asked to keep."""

    async def put(self, key: str, data: Any, **options: Any) -> ObjectInfo:
        if "metadata" in options:
            raise TypeError("no metadata, please")
        return await super().put(key, data, **options)


@caught_by("test_attributes_go_with_the_object")
class CopiesBytesOnly(HealthyStore):
    """A copy is of the bytes."""

    async def _copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        data, _ = await self._get(source, ReadOptions())
        return await self._put(target, data, WriteOptions(if_absent) if if_absent else WRITE_OVER)
