# Generated from storage/_async/backends/_cloud/store.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""The store: its hooks by what a service can do, and how it is shown, pickled and given up."""

from __future__ import annotations

from typing import ClassVar

from ...._async.backends._cloud.service import Service
from ...._async.backends._cloud.store import PART, TIMEOUT, AsyncCloudStore
from ...base import BaseStore


class CloudStore(BaseStore):
    """Objects in a bucket or container of a cloud service.

    Args:
        service: What the service can do.
        prefix: What all names begin with there, exactly as given.
        create: Whether the first write makes the bucket.
        part_size: Bytes that a stream sends at once; an object of more is sent in parts.
        timeout: As for every store.
    """

    _async: AsyncCloudStore
    _async_type: ClassVar[type[AsyncCloudStore]] = AsyncCloudStore

    def __init__(
        self,
        service: Service,
        *,
        prefix: str = "",
        create: bool = False,
        part_size: int = PART,
        timeout: float | None = TIMEOUT,
    ) -> None:
        self._hold(
            self._async_type(
                service, prefix=prefix, create=create, part_size=part_size, timeout=timeout
            )
        )
