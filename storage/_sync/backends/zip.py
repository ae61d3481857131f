# Generated from storage/_async/backends/zip.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""Objects in a zip archive."""

from __future__ import annotations

import os
from typing import ClassVar, Literal, Self

from ..._async.backends._zip.checking import ZipCheckReport
from ..._async.backends.zip import AsyncZipStore
from ..._core.urls import StoreURL
from ..base import BaseStore


class ZipStore(BaseStore):
    """Objects in a zip archive that every zip program can read; the keys are the members' names.

    The archive is never changed in place. A write goes to a journal beside it (``x.zip-journal``)
    and is safe from there on, whatever happens to the process; `checkpoint` and `close` write a
    new archive with all changes and put it in the old one's place, so that other programs see the
    old one, whole, until the new one is whole. An archive with a journal is opened as both.
    Threads and processes may write at the same time.

    Keys that a program which unpacks the archive would put outside of its directory (``../x``,
    ``/x``, ``C:x``) or take for a directory (``x/``) are refused. Only where an archive from
    elsewhere has such a member, it can be read, listed and removed as any other: nothing here
    unpacks by name. Members of size 0 whose names end in a slash are directories and no objects.
    Where a name stands twice, the last member counts, with a warning.

    A range of a compressed object is read by unpacking what comes before it: of a deflated one,
    since the nearest place that was come by lately. It is the one read that cannot be verified
    against the checksum.

    Args:
        path: The archive; the first write creates it, and the directory that it is in.
        compression: ``"deflate"`` or ``"zstd"``, for what they make smaller, or ``"store"``.
            Not every program reads Zstandard; it takes the extra ``zstd`` before Python 3.14, to
            read it, too.
        level: How well to compress: 0 to 9 for deflate, -131072 to 22 for Zstandard. None: 6 and 3.
        durable: Let every write survive a power cut, not only the death of the process. A
            checkpoint survives it in any case.
        timeout: Seconds that one operation may take, waiting for other writers included; of a
            stream, each piece of it. None: for ever.
        max_members: Members that an archive may have to be opened.
        max_object_size: Bytes that an object may have to be read. None: any number.
        max_total_size: Bytes that all members of an archive may have to be opened. None: any
            number.
        max_ratio: How many times its packed size an object may have to be read. None: what the
            method can reach, 1,032 for deflate and 32,768 for Zstandard, which only refuses
            forgeries; set less for archives from strangers.
    """

    _async: AsyncZipStore
    _async_type: ClassVar[type[AsyncZipStore]] = AsyncZipStore

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        compression: Literal["deflate", "store", "zstd"] = "deflate",
        level: int | None = None,
        durable: bool = False,
        timeout: float | None = None,
        max_members: int = 1_000_000,
        max_object_size: int | None = None,
        max_total_size: int | None = None,
        max_ratio: int | None = None,
    ) -> None:
        self._hold(
            self._async_type(
                path,
                compression=compression,
                level=level,
                durable=durable,
                timeout=timeout,
                max_members=max_members,
                max_object_size=max_object_size,
                max_total_size=max_total_size,
                max_ratio=max_ratio,
            )
        )

    @classmethod
    def from_url(cls, url: StoreURL) -> Self:
        """The store of ``zip:///directory/x.zip`` or ``zip://relative/x.zip``."""
        return cls.around(cls._async_type.from_url(url))

    def checkpoint(self) -> None:
        """Write the archive anew with all changes, so that other programs see them."""
        self._run(self._async.checkpoint())

    def vacuum(self) -> int:
        """Write the archive anew without what no member needs, and with all changes.

        That is what other programs have left of members that they replaced or removed.

        Returns:
            How many bytes archive and journal are shorter.

        Raises:
            StoreNotFound: There is no archive.
        """
        return self._run(self._async.vacuum())

    def check(self) -> ZipCheckReport:
        """Read every object, as they are now; all else goes on meanwhile.

        Raises:
            CorruptStore: The archive is so damaged that its members cannot be told.
            StoreNotFound: There is none.
        """
        return self._run(self._async.check())

    def get(
        self, key: str, *, if_match: str | None = None, if_none_match: str | None = None
    ) -> bytes:
        """The object's bytes; arguments and errors are those of every store's `get`."""
        return self._run(self._async.get(key, if_match=if_match, if_none_match=if_none_match))
