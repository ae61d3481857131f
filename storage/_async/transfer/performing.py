"""One step done: read, copied or deleted, only if both ends still are what was listed."""

from __future__ import annotations

from ..._core.errors import (
    ObjectExists,
    ObjectNotFound,
    PreconditionFailed,
)
from ..._core.info import WRITE_OVER, Capability, WriteOptions
from ..base import AsyncBaseStore
from .objects import same_bytes
from .steps import Action, Copier, Outcome, Step, fingerprint

CONFLICTS = (PreconditionFailed, ObjectExists)


class Performer:
    """Does steps.

    Args:
        source: Where the objects are.
        target: Where they go.
        copier: Brings them over.
        backup: Takes what is about to be replaced or deleted; None: nobody does.
    """

    def __init__(
        self,
        source: AsyncBaseStore,
        target: AsyncBaseStore,
        copier: Copier,
        backup: Copier | None = None,
    ) -> None:
        self._source = source
        self._target = target
        self._copier = copier
        self._backup = backup

    async def perform(self, step: Step) -> Outcome:
        """Do a step; whatever goes wrong is its outcome."""
        try:
            step = await self._resolve(step)
            if step.action == "keep":
                return Outcome(step, Action.IDENTICAL, info=step.there)
            return await self._change(step)
        except CONFLICTS as error:
            return Outcome(step, Action.CONFLICT, error=error)
        except Exception as error:
            return Outcome(step, Action.FAILED, error=error)

    async def _resolve(self, step: Step) -> Step:
        """Read what has to be compared by reading; ``keep`` or ``copy`` comes of it."""
        if step.action != "compare":
            return step
        assert step.here is not None
        same = await same_bytes(self._source, self._target, step.here)
        return step._replace(action="keep" if same else "copy")

    async def _change(self, step: Step) -> Outcome:
        """Copy or delete."""
        condition = await self._condition(step)
        if step.there is not None and self._backup is not None:
            await self._backup.copy(step.there, WRITE_OVER)
        if step.here is None:
            await self._target.delete(step.key, missing_ok=False, if_match=condition.if_match)
            return Outcome(step, Action.DELETED)
        copied = await self._copier.copy(step.here, condition)
        return Outcome(step, Action.COPIED, copied.size, copied.info, copied.digest)

    async def _condition(self, step: Step) -> WriteOptions:
        """What holds the target to what was listed; looked at here where it cannot do so itself."""
        there, able = step.there, self._target.capabilities
        if there is None:
            if Capability.IF_ABSENT in able:
                return WriteOptions(if_absent=True)
            if await self._target.exists(step.key):
                raise ObjectExists("it came to be after the target was listed", key=step.key)
            return WRITE_OVER
        needed = Capability.DELETE_IF_MATCH if step.here is None else Capability.IF_MATCH
        if there.etag is not None and needed in able:
            return WriteOptions(if_match=there.etag)
        if fingerprint(there) is not None and await self._now(step.key) != fingerprint(there):
            raise PreconditionFailed("it changed after the target was listed", key=step.key)
        return WRITE_OVER

    async def _now(self, key: str) -> str | None:
        try:
            return fingerprint(await self._target.head(key))
        except ObjectNotFound:
            return None


class Rehearsal(Performer):
    """Says what would come of steps; what has to be read is read."""

    async def resolved(self, step: Step) -> Step:
        """What a step comes to; what cannot be read now is to be compared later."""
        try:
            return await self._resolve(step)
        except Exception:
            return step

    async def _change(self, step: Step) -> Outcome:
        if step.here is None:
            return Outcome(step, Action.DELETED)
        return Outcome(step, Action.COPIED, step.here.size or 0)
