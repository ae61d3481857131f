# Generated from storage/_async/wrappers/transforming.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""Stores of values that are not bytes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..._async.wrappers.transforming import AsyncJsonStore, AsyncTransformingStore
from ..._core.adapt import to_async
from ..._core.info import Capability, ObjectInfo
from ..._core.protocol import ObjectStore
from ..._core.transformers import DataTransformer
from .content import ContentStore


class TransformingStore(ContentStore):
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

    _async: AsyncTransformingStore
    _async_type: ClassVar[type[AsyncTransformingStore]] = AsyncTransformingStore

    def __init__(
        self,
        store: ObjectStore,
        transformer: DataTransformer | None = None,
        sync_transform: bool = True,
        *,
        timeout: float | None = None,
    ) -> None:
        self._hold(self._async_type(to_async(store), transformer, sync_transform, timeout=timeout))

    @property
    def capabilities(self) -> Capability:
        """What the child does by itself, for whole values."""
        return self._async.capabilities

    @property
    def transformer(self) -> DataTransformer:
        """What turns values into what is stored."""
        return self._async.transformer

    def get(
        self, key: str, *, if_match: str | None = None, if_none_match: str | None = None
    ) -> Any:
        """The value; arguments and errors are those of every store.

        Raises:
            DecodeError: What is stored is no such value. (Transformers of others raise what they
                like.)
        """
        return self._run(self._async.get(key, if_match=if_match, if_none_match=if_none_match))

    def put(
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
        return self._run(
            self._async.put(
                key,
                data,
                if_absent=if_absent,
                if_match=if_match,
                content_type=content_type,
                metadata=metadata,
            )
        )


class JsonStore(TransformingStore):
    """Keeps whatever JSON can say; ``put(key, None)`` and ``get(key)`` of it work as any other.

    A child that takes text gets text, every other one its UTF-8 bytes. A store of ours says which
    it is; somebody else's is offered the text, and a ``TypeError`` means bytes. (So one that takes
    both gets text.)

    Args:
        store: A store of ours, or any object with the five async verbs.
        timeout: Seconds that one operation may take.
    """

    _async: AsyncJsonStore
    _async_type: ClassVar[type[AsyncJsonStore]] = AsyncJsonStore

    def __init__(self, store: ObjectStore, *, timeout: float | None = None) -> None:
        self._hold(self._async_type(to_async(store), timeout=timeout))
