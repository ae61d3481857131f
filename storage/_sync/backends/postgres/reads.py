# Generated from storage/_async/backends/postgres/reads.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""The hooks that read and list."""

from __future__ import annotations

from typing import ClassVar

from ...._async.backends.postgres.reads import AsyncPostgresReads
from ...base import BaseStore


class PostgresReads(BaseStore):
    """What `PostgresStore` does to read; it says how it is made."""

    _async: AsyncPostgresReads
    _async_type: ClassVar[type[AsyncPostgresReads]] = AsyncPostgresReads  # type: ignore[type-abstract]
