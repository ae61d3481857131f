# Generated from storage/_async/wrappers/texts.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""Stores of text, and of file objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from ..._async.wrappers.texts import AsyncBufferStore, AsyncTextEncodingStore
from ..._core.adapt import to_async
from ..._core.codecs.text import TextPiece
from ..._core.files import Reader, Writer
from ..._core.info import Capability
from ..._core.protocol import ObjectStore
from .identity import IdentityStore
from .transforming import TransformingStore


class TextEncodingStore(TransformingStore):
    """Keeps text as bytes: `get` gives a ``str``, `put` takes one or a stream of them.

    `stream` gives text in pieces; a character is never torn apart, whatever the pieces of the
    child. There are no files of text and no parts.

    Args:
        store: A store of ours, or any object with the five async verbs.
        encoding: Any that Python knows.
        timeout: Seconds that one operation may take.

    Raises:
        ConfigError: There is no such encoding.
    """

    _async: AsyncTextEncodingStore
    _async_type: ClassVar[type[AsyncTextEncodingStore]] = AsyncTextEncodingStore

    def __init__(
        self, store: ObjectStore, encoding: str = "utf-8", *, timeout: float | None = None
    ) -> None:
        self._hold(self._async_type(to_async(store), encoding, timeout=timeout))

    @property
    def capabilities(self) -> Capability:
        """What the child does by itself; there are no parts of a text."""
        return self._async.capabilities

    def stream(  # type: ignore[override]
        self,
        key: str,
        *,
        start: int = 0,
        end: int | None = None,
        if_match: str | None = None,
        if_none_match: str | None = None,
    ) -> Iterator[TextPiece]:
        """The text in pieces. Raises `NotSupported` where only a part is asked for."""
        return self._iterate(
            self._async.stream(
                key, start=start, end=end, if_match=if_match, if_none_match=if_none_match
            ),
            max_batch=2,
        )

    def open_reader(
        self, key: str, *, if_match: str | None = None, if_none_match: str | None = None
    ) -> Reader:
        """Raises `NotSupported`: a file has bytes. See `stream`."""
        return self._reader(
            self._async.open_reader(key, if_match=if_match, if_none_match=if_none_match)
        )

    def open_writer(
        self,
        key: str,
        *,
        if_absent: bool = False,
        if_match: str | None = None,
        content_type: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> Writer:
        """Raises `NotSupported`: a file has bytes. `put` takes streams of text."""
        return self._writer(
            self._async.open_writer(
                key,
                if_absent=if_absent,
                if_match=if_match,
                content_type=content_type,
                metadata=metadata,
            )
        )


class BufferStore(IdentityStore):
    """Takes file objects, as streams, and gives each object as an `io.BytesIO` at its start.

    It is best the outermost: a cache around it would give out bytes.

    Args:
        store: A store of ours, or any object with the five async verbs.
        timeout: Seconds that one operation may take.
    """

    _async: AsyncBufferStore
    _async_type: ClassVar[type[AsyncBufferStore]] = AsyncBufferStore

    def get(
        self, key: str, *, if_match: str | None = None, if_none_match: str | None = None
    ) -> Any:
        """The object as an `io.BytesIO`; arguments and errors are those of every store."""
        return self._run(self._async.get(key, if_match=if_match, if_none_match=if_none_match))
