# Generated from storage/_async/backends/s3/hooks.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""The hooks of the store, each of which hands over to its family's module."""

from __future__ import annotations

from typing import ClassVar

from ...._async.backends.s3.hooks import AsyncBucketHooks
from ...base import BaseStore


class BucketHooks(BaseStore):
    """What a bucket store does; `BucketStore` says how one is made."""

    _async: AsyncBucketHooks
    _async_type: ClassVar[type[AsyncBucketHooks]] = AsyncBucketHooks
