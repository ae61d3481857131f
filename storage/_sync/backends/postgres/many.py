# Generated from storage/_async/backends/postgres/many.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""Verbs on many keys, some of them in each statement."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from ...._async.backends.postgres.many import AsyncPostgresMany
from ...._async.base import Keys
from .hooks import PostgresHooks


class PostgresMany(PostgresHooks):
    """Verbs on many keys."""

    _async: AsyncPostgresMany
    _async_type: ClassVar[type[AsyncPostgresMany]] = AsyncPostgresMany

    def get_many(self, keys: Keys, *, missing_ok: bool = False) -> Iterator[tuple[str, bytes]]:
        """Read many objects, some in each statement; all else is as in every store."""
        return self._iterate(self._async.get_many(keys, missing_ok=missing_ok), max_batch=32)
