# Generated from storage/_async/wrappers/compressing.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""Stores that keep bytes compressed, or as Base64."""

from __future__ import annotations

from typing import ClassVar

from ..._async.wrappers.compressing import (
    AsyncBase64Store,
    AsyncGzipStore,
    AsyncRecodingStore,
    AsyncZstdStore,
)
from ..._core.adapt import to_async
from ..._core.protocol import ObjectStore
from ..._core.transformers import CodecTransformer
from .content import CodecStore


class RecodingStore(CodecStore):
    """Keeps bytes in the form that a transformer gives them, in bounded memory.

    Lengths are known after a whole get or a put only; `list` and `head` leave them out. A part of
    an object is read by decoding all before it.

    Args:
        store: A store of ours, or any object with the five async verbs.
        transformer: Makes the encoders and decoders.
        timeout: Seconds that one operation may take.
    """

    _async: AsyncRecodingStore
    _async_type: ClassVar[type[AsyncRecodingStore]] = AsyncRecodingStore

    def __init__(
        self, store: ObjectStore, transformer: CodecTransformer, *, timeout: float | None = None
    ) -> None:
        self._hold(self._async_type(to_async(store), transformer, timeout=timeout))


class GzipStore(RecodingStore):
    """Keeps objects as gzip.

    Objects of several members are read as one. What is cut off, damaged or followed by anything
    else is a `DecodeError`. Set a limit of your own where others write into the child: a few
    bytes of gzip may become a thousand times as many.

    Args:
        store: A store of ours, or any object with the five async verbs.
        level: 0 (not at all) to 9 (best).
        max_size: Bytes that an object may have when it is read (`DecompressionLimit` beyond);
            None for any number.
        max_ratio: How many bytes one stored byte may become, once there is a MiB of them. Where
            both are None, `get` gives a GiB or a hundred times as many bytes as are stored, at
            most, and streams give any number; ``math.inf`` lifts that.
        timeout: Seconds that one operation may take.
    """

    _async: AsyncGzipStore
    _async_type: ClassVar[type[AsyncGzipStore]] = AsyncGzipStore

    def __init__(
        self,
        store: ObjectStore,
        *,
        level: int = 6,
        max_size: int | None = None,
        max_ratio: float | None = None,
        timeout: float | None = None,
    ) -> None:
        self._hold(
            self._async_type(
                to_async(store),
                level=level,
                max_size=max_size,
                max_ratio=max_ratio,
                timeout=timeout,
            )
        )


class ZstdStore(RecodingStore):
    """Keeps objects as Zstandard, with a checksum of their content.

    Objects of several frames are read as one. What is cut off, damaged or followed by anything
    else is a `DecodeError`. Set a limit of your own where others write into the child: a few
    bytes of zstd may become ten thousand times as many.

    Args:
        store: A store of ours, or any object with the five async verbs.
        level: -7 (fast) to 22 (small).
        max_size: Bytes that an object may have when it is read (`DecompressionLimit` beyond);
            None for any number.
        max_ratio: How many bytes one stored byte may become, once there is a MiB of them. Where
            both are None, `get` gives a GiB or a hundred times as many bytes as are stored, at
            most, and streams give any number; ``math.inf`` lifts that.
        timeout: Seconds that one operation may take.

    Raises:
        MissingExtra: The package for it is not installed.
    """

    _async: AsyncZstdStore
    _async_type: ClassVar[type[AsyncZstdStore]] = AsyncZstdStore

    def __init__(
        self,
        store: ObjectStore,
        *,
        level: int = 3,
        max_size: int | None = None,
        max_ratio: float | None = None,
        timeout: float | None = None,
    ) -> None:
        self._hold(
            self._async_type(
                to_async(store),
                level=level,
                max_size=max_size,
                max_ratio=max_ratio,
                timeout=timeout,
            )
        )


class Base64Store(RecodingStore):
    """Keeps objects as Base64, in one line; line breaks in those of others are read over.

    Three bytes of content become four, each such group by itself: an object that was cut off
    between two groups looks whole.

    Args:
        store: A store of ours, or any object with the five async verbs.
        timeout: Seconds that one operation may take.
    """

    _async: AsyncBase64Store
    _async_type: ClassVar[type[AsyncBase64Store]] = AsyncBase64Store

    def __init__(self, store: ObjectStore, *, timeout: float | None = None) -> None:
        self._hold(self._async_type(to_async(store), timeout=timeout))
