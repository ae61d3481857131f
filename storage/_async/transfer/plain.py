"""Copies without any art; stands in for the copier proper."""

from __future__ import annotations

from dataclasses import replace
from types import TracebackType
from typing import Self

from ..._core.errors import IntegrityError, ObjectNotFound, PreconditionFailed, SourceChanged
from ..._core.info import Capability, ObjectInfo, ReadOptions, WriteOptions
from ..base import AsyncBaseStore
from .objects import WHOLE
from .steps import Copied


class PlainCopier:
    """Copies whole objects and streams, one by one."""

    def __init__(self, source: AsyncBaseStore, target: AsyncBaseStore) -> None:
        self._source = source
        self._target = target

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        pass

    async def settle(self) -> None:
        """See `Copier`."""

    async def copy(
        self, listed: ObjectInfo, condition: WriteOptions, key: str | None = None
    ) -> Copied:
        """See `Copier`."""
        able = self._source.capabilities
        pinned = listed.etag if Capability.READ_CONDITIONS in able else None
        options = ReadOptions(if_match=pinned)
        new_key = listed.key if key is None else key
        if (listed.size or 0) > WHOLE and Capability.STREAMS in able:
            return await self._stream(listed.key, new_key, options, condition)
        try:
            data, info = await self._source._read(listed.key, options)
        except (ObjectNotFound, PreconditionFailed) as error:
            raise SourceChanged("it changed after it was listed") from error
        value = self._target._as_value(data)
        stored = await self._target._write(new_key, value, self._attributed(info, condition))
        if stored.size is not None and info.size is not None and stored.size != info.size:
            raise IntegrityError(f"{stored.size} bytes arrived of {info.size}", key=new_key)
        return Copied(stored, info.size or 0)

    async def _stream(
        self, key: str, new_key: str, options: ReadOptions, condition: WriteOptions
    ) -> Copied:
        async with self._source._reader(key, options) as reader:
            attributes = self._attributed(reader.info, condition)
            async with self._target._writer(new_key, attributes) as writer:
                async for chunk in reader:
                    await writer.write(chunk)
                if reader.info.size not in (None, writer.tell()):
                    raise IntegrityError("the object ended early", key=key)
        return Copied(writer.info, writer.tell())

    def _attributed(self, info: ObjectInfo, condition: WriteOptions) -> WriteOptions:
        if Capability.ATTRIBUTES not in self._source.capabilities & self._target.capabilities:
            return condition
        return replace(condition, content_type=info.content_type, metadata=info.metadata)
