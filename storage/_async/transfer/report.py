"""What a sync did, key by key and in sum."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import TypeAlias

from ..._core import calls
from ..._core.errors import SyncError

KEPT_FAILURES = 1000
"""Failures whose errors a report keeps; more are only counted."""


class Action(enum.Enum):
    """What became of one key."""

    COPIED = "copied"
    IDENTICAL = "identical"
    DELETED = "deleted"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SyncEvent:
    """The outcome of one key."""

    action: Action
    key: str
    size: int = 0
    """Bytes that were copied (or, in a dry run, would be)."""
    error: Exception | None = None


Watcher: TypeAlias = Callable[[list[SyncEvent]], None]


@dataclass(slots=True)
class SyncReport:
    """The sum of a sync; in a dry run, what it would come to."""

    copied: int = 0
    identical: int = 0
    deleted: int = 0
    failed: int = 0
    bytes_copied: int = 0
    failures: dict[str, Exception] = field(default_factory=dict)
    """The first thousand errors, by key."""
    deletes_refused: str | None = None
    """Why nothing was deleted although it was asked for; None where there was no doubt."""
    dry_run: bool = False

    @property
    def complete(self) -> bool:
        """Whether the target now is what was asked for."""
        return not self.failed and self.deletes_refused is None

    def raise_failures(self) -> None:
        """Raise `SyncError` unless everything went well."""
        if self.complete:
            return
        errors = dict(self.failures)
        message = f"{self.failed} of {self.failed + self.copied + self.identical} objects failed"
        if self.deletes_refused is not None:
            errors.setdefault("", SyncRefusal(self.deletes_refused))
            message = f"nothing was deleted: {self.deletes_refused}" + (
                f"; {message}" if self.failed else ""
            )
        error = SyncError(message, errors)
        error.report = self
        raise error


class SyncRefusal(Exception):
    """Why deletes were not done."""


class Recorder:
    """Adds outcomes up, and tells a watcher of them in batches, off the event loop."""

    def __init__(self, watcher: Watcher | None, *, dry_run: bool = False) -> None:
        self.report = SyncReport(dry_run=dry_run)
        self._watcher = watcher
        self._events: list[SyncEvent] = []
        self._told = monotonic()

    async def add(self, event: SyncEvent) -> None:
        """Take one outcome."""
        report = self.report
        match event.action:
            case Action.COPIED:
                report.copied += 1
                report.bytes_copied += event.size
            case Action.IDENTICAL:
                report.identical += 1
            case Action.DELETED:
                report.deleted += 1
            case Action.FAILED:
                report.failed += 1
                if event.error is not None and len(report.failures) < KEPT_FAILURES:
                    report.failures[event.key] = event.error
        self._events.append(event)
        if len(self._events) >= 256 or monotonic() - self._told > 0.1:
            await self.flush()

    async def flush(self) -> None:
        """Tell the watcher what it does not know yet."""
        events, self._events = self._events, []
        self._told = monotonic()
        if events and self._watcher is not None:
            await calls.call_user(self._watcher, events)
