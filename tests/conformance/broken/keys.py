"""Broken in what they make of keys."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import AsyncIterator
from typing import Any

from storage._core.errors import InvalidKey
from storage._core.info import ObjectInfo, ReadOptions, WriteOptions
from storage._core.keys import check_key

from .healthy import HealthyStore, caught_by

ALL_KEYS = (
    "test_hostile_keys",
    "test_hostile_keys_one_by_one",
    "test_any_key",
    "test_hostile_targets",
)


class Changed(HealthyStore):
    """Changes keys on their way in."""

    def _changed(self, key: str) -> str:
        return key

    async def _get(self, key: str, options: ReadOptions) -> tuple[bytes, ObjectInfo]:
        return await super()._get(self._changed(key), options)

    async def _head(self, key: str) -> ObjectInfo:
        return await super()._head(self._changed(key))

    async def _exists(self, key: str) -> bool:
        return await super()._exists(self._changed(key))

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        return await super()._put(self._changed(key), data, options)

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        await super()._delete(self._changed(key), missing_ok, if_match)


@caught_by("test_hostile_keys", "test_hostile_keys_one_by_one", "test_hostile_targets")
class Composes(Changed):
    """NFC, as some file systems do it."""

    def _changed(self, key: str) -> str:
        return unicodedata.normalize("NFC", key)


@caught_by("test_hostile_keys", "test_hostile_keys_one_by_one", "test_any_key", "test_prefixes")
class LowerCases(Changed):
    """``A`` is ``a``."""

    def _changed(self, key: str) -> str:
        return key.lower()


@caught_by("test_hostile_keys", "test_hostile_targets", "test_legal_keys", "test_missing_key")
class CleansPaths(Changed):
    """``a//b`` is ``a/b``, and ``a/`` is ``a``."""

    def _changed(self, key: str) -> str:
        return re.sub("/+", "/", key).rstrip("/") or "/"


@caught_by(*ALL_KEYS, "test_legal_keys")
class Unquotes(Changed):
    """Takes ``%2e`` for a dot."""

    def _changed(self, key: str) -> str:
        return key.replace("%2e", ".").replace("%", "%25")


@caught_by("test_hostile_keys", "test_hostile_keys_one_by_one")
class CutsLongKeys(Changed):
    """Keys of more than 200 characters are cut."""

    def _changed(self, key: str) -> str:
        return key[:200]


@caught_by("test_hostile_keys", "test_any_key", "test_hostile_targets")
class Escapes(HealthyStore):
    """Joins the key to its root, as paths: what climbs out lands beside the store."""

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        path = os.path.normpath(os.path.join("/srv/store", key))
        if not path.startswith("/srv/store"):
            self.medium.outside.append(path)
        return await super()._put(key, data, options)


@caught_by("test_impossible_keys", "test_any_key", "test_errors_say_which_key")
class AnyTextIsAKey(HealthyStore):
    """Checks no keys."""

    def _check(self, operation: str, key: Any) -> None:
        self._check_open(operation)


@caught_by("test_impossible_keys", "test_any_key")
class ChecksTooLate(HealthyStore):
    """Finds out that a key is bad when it has written."""

    def _check(self, operation: str, key: Any) -> None:
        self._check_open(operation)
        if operation != "put":
            super()._check(operation, key)

    async def _put(self, key: str, data: bytes | memoryview, options: WriteOptions) -> ObjectInfo:
        info = await super()._put(key, data, options)
        check_key(key)
        return info


@caught_by("test_message_is_short", "test_errors_say_which_key", "test_errors_of_a_closed_store")
class LongMessages(HealthyStore):
    """Says all of the key, and nothing of the operation."""

    def _check(self, operation: str, key: Any) -> None:
        try:
            super()._check("", key)
        except InvalidKey as error:
            raise InvalidKey(f"{key!r} is bad") from error
        if len(key) > 500 and key not in self.objects:
            raise InvalidKey(f"{key!r} is bad")

    def _check_open(self, operation: str) -> None:
        super()._check_open("")


@caught_by("test_prefixes")
class PrefixIsAPattern(HealthyStore):
    """Prefixes are patterns of SQL."""

    async def _keys(self, prefix: str, start_after: str) -> AsyncIterator[str]:
        pattern = re.escape(prefix).replace("_", ".").replace("%", ".*")
        async for key in super()._keys("", start_after):
            if re.match(pattern, key, re.DOTALL | re.IGNORECASE):
                yield key
