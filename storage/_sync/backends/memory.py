# Generated from storage/_async/backends/memory.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""Objects in a dict."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import ClassVar, Self

from ..._async.backends.memory import AsyncDictStore
from ..._core.urls import StoreURL
from ..base import BaseStore


class DictStore(BaseStore):
    """Objects in memory; safe to use from many threads.

    Args:
        objects: The dict that holds them, key to bytes; it is used as it is, not copied, and you
            may change it yourself. None: a new one.
        timeout: As for every store; nothing here ever waits.
    """

    _async: AsyncDictStore
    _async_type: ClassVar[type[AsyncDictStore]] = AsyncDictStore

    def __init__(
        self, objects: MutableMapping[str, bytes] | None = None, *, timeout: float | None = None
    ) -> None:
        self._hold(self._async_type(objects, timeout=timeout))

    @property
    def objects(self) -> MutableMapping[str, bytes]:
        return self._async.objects

    @classmethod
    def from_url(cls, url: StoreURL) -> Self:
        """The store of ``memory://``; each call makes a new one."""
        return cls.around(cls._async_type.from_url(url))
