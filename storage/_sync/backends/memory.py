# Generated from storage/_async/backends/memory.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""Objects in a dict."""

from __future__ import annotations

import time
from collections.abc import Callable, MutableMapping
from typing import ClassVar, Literal, Self

from ..._async.backends.memory import AsyncDictStore
from ..._core.adapt import to_async
from ..._core.protocol import ObjectStore
from ..._core.urls import StoreURL
from ..lifetimes import LifetimeStore


class DictStore(LifetimeStore):
    """Objects in memory; safe to use from many threads.

    An object whose time is over is neither read nor listed from that moment on. Its memory is
    free again when somebody asks for it, by and by with each put, or after `sweep`.

    Args:
        objects: The dict that holds them, key to bytes; it is used as it is, not copied, and you
            may change it yourself. What you put there lives for ever, and counts for ``max_size``
            from the next put on. None: a new one.
        max_size: Bytes that all objects may have together, keys and all else not counted. None:
            any number.
        when_full: ``"refuse"`` what exceeds that, with `NoSpace`; or ``"evict"`` the objects that
            were not read or written for longest.
        ttl: Seconds that an object lives after it was put; see `with_ttl`. None: for ever.
        clock: Tells the time for that, in seconds.
        timeout: As for every store; nothing here ever waits.
    """

    _async: AsyncDictStore
    _async_type: ClassVar[type[AsyncDictStore]] = AsyncDictStore

    def __init__(
        self,
        objects: MutableMapping[str, bytes] | None = None,
        *,
        max_size: int | None = None,
        when_full: Literal["refuse", "evict"] = "refuse",
        ttl: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        timeout: float | None = None,
    ) -> None:
        self._hold(
            self._async_type(
                objects,
                max_size=max_size,
                when_full=when_full,
                ttl=ttl,
                clock=clock,
                timeout=timeout,
            )
        )

    @property
    def objects(self) -> MutableMapping[str, bytes]:
        return self._async.objects

    @classmethod
    def from_url(cls, url: StoreURL) -> Self:
        """The store of ``memory://``; each call makes a new one.

        Options: ``max_size``, ``when_full``, ``ttl``, ``timeout``.
        """
        return cls.around(cls._async_type.from_url(url))

    def sweep(self) -> int:
        """Remove the objects whose time is over; returns how many."""
        return self._run(self._async.sweep())

    def save(self, target: ObjectStore, *, delete: bool = False) -> int:
        """Put all objects of this moment into another store, attributes where it keeps them.

        What happens here meanwhile is not in the snapshot. The target is atomic for each object.

        Args:
            target: The store; times to live go along where it has a ``with_ttl``.
            delete: Remove what else it has, at the end, if all was put.

        Returns:
            How many objects there were.

        Raises:
            BulkError: Some could not be put; all others are there, and nothing was removed.
        """
        return self._run(self._async.save(to_async(target), delete=delete))

    def load(self, source: ObjectStore, *, delete: bool = False) -> int:
        """Take over all objects of another store, in one step: no task sees a part of it.

        Args:
            source: The store; all of it is read before anything changes here.
            delete: Remove what else is here, in the same step.

        Returns:
            How many objects there were.

        Raises:
            NoSpace: They exceed ``max_size``; nothing has changed.
            BulkError: Some could not be read; nothing has changed.
            StoreError: The listing failed; nothing has changed.
        """
        return self._run(self._async.load(to_async(source), delete=delete))
