"""What a sync did, in sum."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from ..._core import calls
from ..._core.errors import SyncError
from .steps import Action, Outcome

__all__ = ["Action", "SyncEvent", "SyncRefusal", "SyncReport"]

KEPT_FAILURES = 1000
"""Failures whose errors a report keeps; more are only counted."""


class SyncEvent(NamedTuple):
    """The outcome of one key."""

    action: Action
    key: str
    size: int = 0
    """Bytes that were copied (or, in a dry run, would be)."""
    error: Exception | None = None
    reason: str = ""
    """Why it was copied, deleted or left: ``new``, ``size``, ``time``, ``bytes``, ``surplus``."""


Watcher: TypeAlias = Callable[[list[SyncEvent]], None]
Tell: TypeAlias = Callable[[list[SyncEvent]], Awaitable[object]]


def telling(watcher: Watcher | None) -> Tell | None:
    """Calls a watcher in a worker thread, if there is one."""
    if watcher is None:
        return None

    async def tell(events: list[SyncEvent]) -> None:
        await calls.call_user(watcher, events)

    return tell


@dataclass(slots=True)
class SyncReport:
    """The sum of a sync; in a dry run, what it would come to."""

    copied: int = 0
    identical: int = 0
    deleted: int = 0
    failed: int = 0
    bytes_copied: int = 0
    failures: dict[str, Exception] = field(default_factory=dict)
    """The first thousand errors, by key; those of conflicts, too."""
    deletes_refused: str | None = None
    """Why nothing was deleted although it was asked for; None where there was no doubt."""
    dry_run: bool = False
    conflicts: int = 0
    """Keys that somebody changed in the meantime, which were left alone."""
    skipped: int = 0
    doubts: list[str] = field(default_factory=list)
    """What was wrong with the listings."""
    warnings: list[str] = field(default_factory=list)
    interrupted: bool = False
    """Whether it ended before its end: cancelled, or with an error of one end as a whole."""
    seconds: float = 0.0
    """How long it took, or has taken until now."""
    listed: int = 0
    """Keys that were looked at so far."""
    bytes_planned: int = 0
    """Bytes that are known so far to have to be copied."""
    in_flight: int = 0
    """Objects that are being copied or compared just now."""

    @property
    def complete(self) -> bool:
        """Whether the target now is what was asked for."""
        whole = not self.failed and not self.conflicts and not self.interrupted
        return whole and self.deletes_refused is None

    def count(self, outcome: Outcome) -> SyncEvent:
        """Take an outcome, and give it as an event."""
        step, action, size, _, _, error = outcome
        match action:
            case Action.COPIED:
                self.copied += 1
                self.bytes_copied += size
            case Action.IDENTICAL:
                self.identical += 1
            case Action.DELETED:
                self.deleted += 1
            case Action.SKIPPED:
                self.skipped += 1
            case Action.CONFLICT:
                self.conflicts += 1
            case Action.FAILED:
                self.failed += 1
        if error is not None and len(self.failures) < KEPT_FAILURES:
            self.failures[step.key] = error
        return SyncEvent(action, step.key, size, error, step.reason)

    def to_dict(self) -> dict[str, Any]:
        """All of it in plain values, as JSON has them."""
        told = {name: getattr(self, name) for name in self.__slots__ if name != "in_flight"}
        told["failures"] = {key: str(error) for key, error in self.failures.items()}
        return {**told, "complete": self.complete}

    def raise_failures(self) -> None:
        """Raise `SyncError` unless everything went well."""
        if self.complete:
            return
        errors = dict(self.failures)
        parts = []
        if self.deletes_refused is not None:
            errors.setdefault("", SyncRefusal(self.deletes_refused))
            parts.append(f"nothing was deleted: {self.deletes_refused}")
        if self.failed:
            objects = self.failed + self.copied + self.identical
            parts.append(f"{self.failed} of {objects} objects failed")
        if self.conflicts:
            parts.append(f"{self.conflicts} were changed by others meanwhile and left alone")
        if not errors:  # nobody said why
            errors[""] = SyncRefusal("; ".join(self.doubts))
        error = SyncError("; ".join(parts), errors)
        error.report = self
        raise error


class SyncRefusal(Exception):
    """Why deletes were not done."""
