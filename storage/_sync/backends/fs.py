# Generated from storage/_async/backends/fs.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""Objects as files: under their keys as paths, or under names that any file system can hold."""

from __future__ import annotations

from typing import ClassVar, Self

from ..._async.backends.fs import AsyncFilesystemStore, AsyncSafeFilesystemStore
from ..._core.urls import StoreURL
from ._files.store import FileTreeStore


class FilesystemStore(FileTreeStore):
    """Each object in the file whose path under the root is its key.

    Any program can read and write the files. In return, keys that no path is exactly are refused
    with `InvalidKey`: those with an empty part or a part ``.`` or ``..``, with a part of more than
    255 bytes, or with a part that begins with ``.storage-tmp-``; and a key below another one
    (``a/b`` beside ``a``) while that one exists. On a file system that takes ``A`` for ``a``, no
    change to the one touches the other; but there both read it. `SafeFilesystemStore`
    takes all keys, everywhere.

    Everything but regular files is left alone: symbolic links (see ``follow_symlinks``), pipes,
    devices, empty directories. Listings leave them out, as they do files whose names are not
    UTF-8, and log a warning that says how many.

    Args:
        root_path: The root directory; the first put makes it. It may be a symbolic link itself.
            A relative one is relative to the working directory at the time of each call.
        durable: Whether an object survives a power cut once ``put`` has returned (and stays gone
            once ``delete`` has): files and directories are synced. Without, it is as safe from the
            death of the process; what a power cut leaves of the last writes is then up to the
            file system.
        follow_symlinks: Whether symbolic links below the root are followed, wherever they lead.
            Without, a key whose path holds one is refused with `AccessDenied`.
        attributes: Whether content types and metadata are kept, as an extended attribute
            ``user.storage.attributes`` of each file that has any (which most programs do not copy
            along with a file unless they are told to). Where the root's file system has none, as
            it was found when the store was made, they are refused, as they are without.
        file_mode: The permissions of the files, such as ``0o640``, whatever the umask says (in a
            URL: ``file_mode=640``). None: those of the umask, or of the file that is replaced.
        ttl: Seconds that an object lives after it was put; see `with_ttl`. None: for ever. Its end
            is kept as another extended attribute, ``user.storage.expires``; the sticky bit of the
            file's mode tells that there is one. So whoever sets all permissions anew (``chmod
            644``) has the object live on until the next `sweep`, which looks at all files.
        timeout: Seconds that one operation may take. None: for ever.
    """

    _async: AsyncFilesystemStore
    _async_type: ClassVar[type[AsyncFilesystemStore]] = AsyncFilesystemStore

    @classmethod
    def from_url(cls, url: StoreURL) -> Self:
        """The store of ``file:///absolute/directory`` or ``file://relative/directory``.

        Options: ``durable``, ``follow_symlinks``, ``attributes``, ``file_mode``, ``ttl`` and
        ``timeout``, as for the class.
        """
        return cls.around(cls._async_type.from_url(url))


class SafeFilesystemStore(FileTreeStore):
    """Each object in a file whose name is its key in base 32: takes any key, on any file system.

    The name is the key's UTF-8 in base 32 (RFC 4648, capital letters, with ``_`` for the padding
    ``=``), as amplify-storage-utils writes it, so that its directories can be read. A key of more
    than 155 bytes is cut into parts of 155: each but the last names a directory, with ``-`` at
    its end. Names are of ``A-Z 2-7 _ -`` alone, at most 249 long; so they survive file systems
    that take ``A`` for ``a``, compose accents anew, or forbid ``:`` and names such as ``CON``.

    Args:
        root_path: As for `FilesystemStore`, and so are all others.
        durable: Whether objects survive a power cut.
        follow_symlinks: Whether symbolic links below the root are followed.
        attributes: Whether content types and metadata are kept.
        file_mode: The permissions of the files.
        ttl: Seconds that an object lives after it was put; None: for ever.
        timeout: Seconds that one operation may take. None: for ever.
    """

    _async: AsyncSafeFilesystemStore
    _async_type: ClassVar[type[AsyncSafeFilesystemStore]] = AsyncSafeFilesystemStore

    @classmethod
    def from_url(cls, url: StoreURL) -> Self:
        """The store of ``safe:///absolute/directory`` or ``safe://relative/directory``.

        Options: ``durable``, ``follow_symlinks``, ``attributes``, ``file_mode``, ``ttl`` and
        ``timeout``, as for the class.
        """
        return cls.around(cls._async_type.from_url(url))
