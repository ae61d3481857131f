# Generated from storage/_async/transfer/events.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""A sync whose outcomes are iterated over."""

from __future__ import annotations

from types import TracebackType
from typing import ClassVar, Self

from ..._async.transfer.events import AsyncSyncRun
from ..._async.transfer.options import SyncOptions
from ..._async.transfer.report import SyncEvent, SyncReport
from ..._core.adapt import to_async
from ..._core.bridge import Twin
from ..._core.protocol import ObjectStore


class SyncRun(Twin):
    """A sync, and what becomes of each key, as it becomes known::

        with SyncRun(source, target, SyncOptions(delete=True)) as run:
            for event in run:
                print(event.action, event.key, run.report.bytes_copied)

    It goes on while it is iterated over, waits where nobody does so, and is cancelled where the
    block ends early. At its end the iteration raises what `sync_stores` would raise.

    Args:
        source: Where the objects are; it is never written.
        target: Where they go.
        options: How. None: as `sync_stores` does by itself.
    """

    _async: AsyncSyncRun
    _async_type: ClassVar[type[AsyncSyncRun]] = AsyncSyncRun

    def __init__(
        self, source: ObjectStore, target: ObjectStore, options: SyncOptions | None = None
    ) -> None:
        self._hold(self._async_type(to_async(source), to_async(target), options))

    @property
    def report(self) -> SyncReport:
        """The sums until now."""
        return self._async.report

    def __enter__(self) -> Self:
        self._run(self._async.__aenter__())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        self._run(self._async.__aexit__(kind, error, traceback))

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> SyncEvent:
        """The next outcome. Raises `SyncError` after the last one if something failed."""
        return self._step(self._async.__anext__())
