"""The words of a sync: what is known of a key, what is to be done about it, what became of it."""

from __future__ import annotations

import enum
from types import TracebackType
from typing import Literal, NamedTuple, Protocol, Self, TypeAlias

from ..._core.info import ObjectInfo, WriteOptions
from ..._core.moments import microseconds

PAGE = 1000
"""Rows, steps or events that travel together."""


class Action(enum.Enum):
    """What became of one key."""

    COPIED = "copied"
    IDENTICAL = "identical"
    DELETED = "deleted"
    FAILED = "failed"
    CONFLICT = "conflict"
    """Somebody changed an end after it was listed; nothing was overwritten or deleted."""
    SKIPPED = "skipped"
    """It was left as it is, unseen."""


class Remembered(NamedTuple):
    """That two objects, by their fingerprints, were the same once."""

    key: str
    here: str
    there: str
    digest: str | None = None


Row: TypeAlias = tuple[str, ObjectInfo | None, ObjectInfo | None, Remembered | None]
"""A key, what the source's and the target's listings say of it, and what the journal knows."""


class Step(NamedTuple):
    """What is to be done about one key.

    Attributes:
        action: ``compare`` is done by reading, and becomes ``keep`` or ``copy``.
        key: The key.
        here: What the source's listing says.
        there: What the target's listing says; None: there is nothing.
        reason: Why, in a word.
    """

    action: Literal["keep", "skip", "compare", "copy", "delete"]
    key: str
    here: ObjectInfo | None
    there: ObjectInfo | None
    reason: str


class Outcome(NamedTuple):
    """What became of a step."""

    step: Step
    action: Action
    size: int = 0
    """Bytes that were copied."""
    info: ObjectInfo | None = None
    """What the target holds now."""
    digest: str | None = None
    error: Exception | None = None


class Copied(NamedTuple):
    """A copy that was made."""

    info: ObjectInfo
    """What the target says of it."""
    size: int
    digest: str | None = None


class Copier(Protocol):
    """Brings objects over; its context holds what it needs for that."""

    async def __aenter__(self) -> Self:
        """Begin."""
        ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Let go of all."""
        ...

    async def settle(self) -> None:
        """Make all copies durable that were made until now."""
        ...

    async def copy(
        self, listed: ObjectInfo, condition: WriteOptions, key: str | None = None
    ) -> Copied:
        """Copy an object that is what was listed, verified, with its attributes.

        Args:
            listed: What the source's listing says of it.
            condition: Under which the target may be written.
            key: Its key in the target; None for the same.

        Raises:
            SourceChanged: It is another one by now, or is gone.
            ObjectExists: The target has one already, against the condition.
            PreconditionFailed: The target's is another one, against the condition.
        """
        ...


def fingerprint(info: ObjectInfo) -> str | None:
    """What tells an object from what it was before: its etag, else length and time; or None."""
    if info.etag is not None:
        return info.etag
    if info.size is None or info.modified is None:
        return None
    return f"{info.size}:{microseconds(info.modified)}"
