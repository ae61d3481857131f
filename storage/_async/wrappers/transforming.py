"""Stores of values that are not bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..._core import calls
from ..._core.errors import NotSupported
from ..._core.info import ByteRange, Capability, ObjectInfo, ReadOptions, WriteOptions
from ..._core.protocol import AsyncObjectStore
from ..._core.transformers import DataTransformer, JsonTransformer
from .content import SMALL, AsyncContentStore, work


class AsyncTransformingStore(AsyncContentStore):
    """Puts what a transformer makes of a value, and gives back what it makes of that again.

    Values are whole and of any kind; there are no parts and, but where a subclass says so, no
    streams of them. What the transformer gives may be a stream, which the child stores as one.

    Args:
        store: A store of ours, or any object with the five async verbs.
        transformer: None changes nothing.
        sync_transform: Whether it is quick and may be called on the event loop; if not, it is
            called in a worker thread.
        timeout: Seconds that one operation may take.
    """

    def __init__(
        self,
        store: AsyncObjectStore,
        transformer: DataTransformer | None = None,
        sync_transform: bool = True,
        *,
        timeout: float | None = None,
    ) -> None:
        super().__init__(store, timeout=timeout)
        self._transformer = DataTransformer() if transformer is None else transformer
        self._sync_transform = sync_transform

    @property
    def capabilities(self) -> Capability:  # type: ignore[override]
        """What the child does by itself, for whole values."""
        return super().capabilities & ~Capability.STREAMS

    @property
    def transformer(self) -> DataTransformer:
        """What turns values into what is stored."""
        return self._transformer

    # -- verbs, which take and give other things here -----------------------------------------

    async def get(
        self, key: str, *, if_match: str | None = None, if_none_match: str | None = None
    ) -> Any:
        """The value; arguments and errors are those of every store.

        Raises:
            DecodeError: What is stored is no such value. (Transformers of others raise what they
                like.)
        """
        return await super().get(key, if_match=if_match, if_none_match=if_none_match)

    async def put(
        self,
        key: str,
        data: Any,
        *,
        if_absent: bool = False,
        if_match: str | None = None,
        content_type: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> ObjectInfo:
        """Store a value; arguments and errors are those of every store."""
        return await super().put(
            key,
            data,
            if_absent=if_absent,
            if_match=if_match,
            content_type=content_type,
            metadata=metadata,
        )

    # -- hooks --------------------------------------------------------------------------------

    def _as_value(self, data: Any) -> Any:
        return _Once(data) if _is_used_up(data) else data

    async def _transform(self, data: Any) -> Any:
        if self._sync_transform:
            return self._transformer.transform(data)
        return await calls.call_user(self._transformer.transform, data)

    async def _reverse(self, data: Any) -> Any:
        if self._sync_transform:
            return self._transformer.reverse_transform(data)
        return await calls.call_user(self._transformer.reverse_transform, data)

    async def _get(self, key: str, options: ReadOptions) -> tuple[Any, ObjectInfo]:
        if options.byte_range is not None:
            raise self._refusal("get", key, "its values have no parts")
        stored, info = await self._child._read(key, options)
        return await self._reverse(stored), self._told(info)

    async def _put(self, key: str, data: Any, options: WriteOptions) -> ObjectInfo:
        value = await self._transform(data.take() if isinstance(data, _Once) else data)
        return self._told(await self._child.put(key, value, **options.arguments()))

    async def _get_ranges(
        self, key: str, parts: Sequence[ByteRange], if_match: str | None
    ) -> Sequence[Any]:
        raise self._refusal("get_ranges", key, "its values have no parts")

    def _open(self, key: str, options: ReadOptions) -> Any:
        raise self._refusal("get", key, "its values are whole: get() gives one")

    def _create(self, key: str, options: WriteOptions) -> Any:
        raise self._refusal("put", key, "its values are whole: put() takes one")

    def _refusal(self, operation: str, key: str, why: str) -> NotSupported:
        message = f"this store cannot do that: {why}"
        return NotSupported(message, operation=operation, store=repr(self), key=key)


def _is_used_up(data: Any) -> bool:
    """Whether reading a value once leaves nothing of it."""
    return any(hasattr(data, name) for name in ("read", "__next__", "__anext__"))


class _Once:
    """A value that can be read only once: whoever tries the put again must not store the rest."""

    def __init__(self, data: Any) -> None:
        self._data: list[Any] = [data]

    def take(self) -> Any:
        if not self._data:
            raise NotSupported("the value is a stream that was read already: put it anew")
        return self._data.pop()


class AsyncJsonStore(AsyncTransformingStore):
    """Keeps whatever JSON can say; ``put(key, None)`` and ``get(key)`` of it work as any other.

    A child that takes text gets text, every other one its UTF-8 bytes. A store of ours says which
    it is; somebody else's is offered the text, and a ``TypeError`` means bytes. (So one that takes
    both gets text.)

    Args:
        store: A store of ours, or any object with the five async verbs.
        timeout: Seconds that one operation may take.
    """

    def __init__(self, store: AsyncObjectStore, *, timeout: float | None = None) -> None:
        super().__init__(store, JsonTransformer(), False, timeout=timeout)

    async def _reverse(self, data: Any) -> Any:
        if len(data) <= SMALL:
            return self._transformer.reverse_transform(data)
        return await super()._reverse(data)

    async def _put(self, key: str, data: Any, options: WriteOptions) -> ObjectInfo:
        text: Any = await self._transform(data.take() if isinstance(data, _Once) else data)
        try:
            self._child._as_value(text)  # asked before anything around it hears of a failure
            return self._told(await self._child.put(key, text, **options.arguments()))
        except TypeError:
            pass
        content = await work(len(text), text.encode)
        return self._told(await self._child.put(key, content, **options.arguments()))
