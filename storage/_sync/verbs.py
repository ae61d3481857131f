# Generated from storage/_async/verbs.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""The verbs on one object, and the listings: arguments are checked here, the hooks do the work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from .._async.verbs import AsyncStoreVerbs
from .._core.files import Reader, Writer
from .._core.info import ListResult, ObjectInfo
from .._core.values import Data
from .checks import StoreChecks


class StoreVerbs(StoreChecks):
    """The verbs on one object, and the listings."""

    _async: AsyncStoreVerbs
    _async_type: ClassVar[type[AsyncStoreVerbs]] = AsyncStoreVerbs  # type: ignore[type-abstract]

    def get(
        self, key: str, *, if_match: str | None = None, if_none_match: str | None = None
    ) -> bytes:
        """The object's bytes.

        Args:
            key: Its key.
            if_match: Only if the object still has this etag.
            if_none_match: Only if it no longer has this one.

        Raises:
            ObjectNotFound: There is no such object.
            PreconditionFailed: ``if_match`` does not hold.
            NotModified: ``if_none_match`` does not hold.
        """
        return self._run(self._async.get(key, if_match=if_match, if_none_match=if_none_match))

    def get_with_info(
        self,
        key: str,
        *,
        start: int = 0,
        end: int | None = None,
        if_match: str | None = None,
        if_none_match: str | None = None,
    ) -> tuple[bytes, ObjectInfo]:
        """The object's bytes, or a part of them, and what the whole object is, in one request.

        The etag is that of the very bytes returned, which is what a later ``put(if_match=)``
        needs. Arguments and errors are those of `get` and `get_range`.
        """
        return self._run(
            self._async.get_with_info(
                key, start=start, end=end, if_match=if_match, if_none_match=if_none_match
            )
        )

    def get_range(
        self, key: str, start: int = 0, end: int | None = None, *, if_match: str | None = None
    ) -> bytes:
        """A part of the object's bytes, with a slice's meaning: cut to the object, never an error.

        Args:
            key: The object's key.
            start: The first byte, from 0; negative: so many bytes from the end.
            end: The byte after the last; None for the object's end.
            if_match: Only if the object still has this etag.
        """
        return self._run(self._async.get_range(key, start, end, if_match=if_match))

    def head(self, key: str) -> ObjectInfo:
        """What is known of the object. Raises `ObjectNotFound` where there is none."""
        return self._run(self._async.head(key))

    def exists(self, key: str) -> bool:
        """Whether there is an object under ``key``; a doubt is an error, never False."""
        return self._run(self._async.exists(key))

    def stream(
        self,
        key: str,
        *,
        start: int = 0,
        end: int | None = None,
        if_match: str | None = None,
        if_none_match: str | None = None,
    ) -> Iterator[bytes]:
        """The object's bytes in pieces, all of one version; arguments as for `get_range`."""
        return self._iterate(
            self._async.stream(
                key, start=start, end=end, if_match=if_match, if_none_match=if_none_match
            ),
            max_batch=2,
        )

    def open_reader(
        self, key: str, *, if_match: str | None = None, if_none_match: str | None = None
    ) -> Reader:
        """The object as a file to read, with its `ObjectInfo`; use it in ``with``."""
        return self._reader(
            self._async.open_reader(key, if_match=if_match, if_none_match=if_none_match)
        )

    def put(
        self,
        key: str,
        data: Data,
        *,
        if_absent: bool = False,
        if_match: str | None = None,
        content_type: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> ObjectInfo:
        """Store an object, in place of what is there; readers see the old one or the new one.

        Args:
            key: Its key.
            data: Bytes-like, or a stream of it: an iterable, an async iterable or a file object,
                stored in bounded memory.
            if_absent: Only if there is no object; of many writers exactly one wins.
            if_match: Only if the object still has this etag.
            content_type: Its media type.
            metadata: Pairs of the user's own, kept beside it.

        Returns:
            What is known of the stored object.

        Raises:
            ObjectExists: ``if_absent`` does not hold.
            PreconditionFailed: ``if_match`` does not hold.
            NotSupported: The store cannot hold a condition atomically or keep the attributes.
        """
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

    def open_writer(
        self,
        key: str,
        *,
        if_absent: bool = False,
        if_match: str | None = None,
        content_type: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> Writer:
        """An object as a file to write; published when its ``with`` block ends well."""
        return self._writer(
            self._async.open_writer(
                key,
                if_absent=if_absent,
                if_match=if_match,
                content_type=content_type,
                metadata=metadata,
            )
        )

    def delete(self, key: str, *, missing_ok: bool = False, if_match: str | None = None) -> None:
        """Remove the object.

        Args:
            key: Its key.
            missing_ok: No error where there is none.
            if_match: Only if the object still has this etag.

        Raises:
            ObjectNotFound: There is no such object.
            PreconditionFailed: ``if_match`` does not hold.
        """
        self._run(self._async.delete(key, missing_ok=missing_ok, if_match=if_match))

    def copy(self, source: str, target: str, *, if_absent: bool = False) -> ObjectInfo:
        """Copy an object within the store, its attributes too; returns what the copy is."""
        return self._run(self._async.copy(source, target, if_absent=if_absent))

    def move(self, source: str, target: str, *, if_absent: bool = False) -> ObjectInfo:
        """Give an object another key; returns what it is there. Raises as `copy` does."""
        return self._run(self._async.move(source, target, if_absent=if_absent))

    def keys(self, prefix: str = "", *, start_after: str = "") -> Iterator[str]:
        """The keys that begin with ``prefix`` and come after ``start_after`` in byte order."""
        return self._iterate(self._async.keys(prefix, start_after=start_after))

    def list(self, prefix: str = "", *, start_after: str = "") -> Iterator[ObjectInfo]:
        """Like `keys`, with what is known of each object."""
        return self._iterate(self._async.list(prefix, start_after=start_after))

    def list_with_delimiter(self, prefix: str = "", delimiter: str = "/") -> ListResult:
        """One level of the keys: objects, and prefixes up to the next ``delimiter``, sorted."""
        return self._run(self._async.list_with_delimiter(prefix, delimiter))
