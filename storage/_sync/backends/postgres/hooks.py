# Generated from storage/_async/backends/postgres/hooks.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""The hooks that write, remove and copy."""

from __future__ import annotations

from typing import ClassVar

from ...._async.backends.postgres.hooks import AsyncPostgresHooks
from .reads import PostgresReads


class PostgresHooks(PostgresReads):
    """What `PostgresStore` does to write."""

    _async: AsyncPostgresHooks
    _async_type: ClassVar[type[AsyncPostgresHooks]] = AsyncPostgresHooks
