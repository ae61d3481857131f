"""Keys that nobody has to think of."""

from __future__ import annotations

import hashlib
import os
import tempfile
import uuid
from collections.abc import Callable
from typing import Any, cast

from .base import Readable
from .crypt import SPOOL
from .decorators import StoreDecorator
from .pumping import is_path, pump


class HashDecorator(StoreDecorator):
    """Stores a value that is put under None under its digest.

    Args:
        decorated_store: The store.
        hashfunc: The digest, such as ``hashlib.sha256``.
        template: The key, with ``{}`` where the digest goes. Keys that are given are not changed.
    """

    def __init__(
        self,
        decorated_store: Any,
        hashfunc: Callable[..., Any] = hashlib.sha1,
        template: str = "{}",
    ) -> None:
        super().__init__(decorated_store)
        self.hashfunc = hashfunc
        self._template = template

    def put(self, key: str | None, data: bytes, *args: Any, **options: Any) -> str:
        """Store a value; the key that it got is returned. See `KeyValueStore`."""
        if key is None:
            if not isinstance(data, bytes):
                raise OSError(f"a value is of type bytes, not {type(data).__name__}")
            key = self._named(self.hashfunc(data))
        return self._dstore.put(key, data, *args, **options)  # type: ignore[no-any-return]

    def put_file(
        self, key: str | None, file: str | os.PathLike[str] | Readable, *args: Any, **options: Any
    ) -> str:
        """Store what is in a file; the key that it got is returned. See `KeyValueStore`."""
        if key is not None:
            return self._dstore.put_file(key, file, *args, **options)  # type: ignore[no-any-return]
        digest = self.hashfunc()
        if is_path(file):
            with open(file, "rb") as named:
                pump(named.read, digest.update)
            return self._dstore.put_file(self._named(digest), file, *args, **options)  # type: ignore[no-any-return]
        with tempfile.SpooledTemporaryFile(SPOOL) as spool:
            source = cast(Readable, file)

            def take(piece: bytes) -> None:
                digest.update(piece)
                spool.write(piece)

            pump(source.read, take)
            spool.seek(0)
            return self._dstore.put_file(self._named(digest), spool, *args, **options)  # type: ignore[no-any-return]

    def _named(self, digest: Any) -> str:
        return self._template.format(digest.hexdigest())


class UUIDDecorator(StoreDecorator):
    """Stores a value that is put under None under a new UUID (RFC 9562).

    Which kind of UUID is the class's ``uuidfunc``, the name of a function of the module ``uuid``.

    Args:
        store: The store.
        template: What each key becomes, also one that is given, with ``{}`` where it goes.
    """

    uuidfunc = "uuid1"

    def __init__(self, store: Any, template: str = "{}") -> None:
        super().__init__(store)
        self._template = template

    def put(self, key: str | None, data: bytes, *args: Any, **options: Any) -> str:
        """Store a value; the key that it got is returned. See `KeyValueStore`."""
        return self._dstore.put(self._named(key), data, *args, **options)  # type: ignore[no-any-return]

    def put_file(
        self, key: str | None, file: str | os.PathLike[str] | Readable, *args: Any, **options: Any
    ) -> str:
        """Store what is in a file; the key that it got is returned. See `KeyValueStore`."""
        return self._dstore.put_file(self._named(key), file, *args, **options)  # type: ignore[no-any-return]

    def _named(self, key: str | None) -> str:
        name = str(getattr(uuid, self.uuidfunc)()) if key is None else key
        return self._template.format(name)
