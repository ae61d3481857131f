"""One step done: read, copied or deleted, only if both ends still are what was listed."""

from __future__ import annotations

from contextlib import suppress
from traceback import clear_frames

from ..._core.budget import ByteBudget
from ..._core.errors import (
    InvalidKey,
    ObjectExists,
    ObjectNotFound,
    PreconditionFailed,
    SourceChanged,
)
from ..._core.info import WRITE_OVER, Capability, ObjectInfo, WriteOptions
from ..base import AsyncBaseStore
from .objects import PIECE, read_both
from .steps import Action, Copier, Outcome, Step, fingerprint

CONFLICTS = (PreconditionFailed, ObjectExists)


class Rehearsal:
    """Says what would come of steps; what has to be read for that is read.

    Args:
        source: Where the objects are.
        target: Where they would go.
        budget: Bytes for what is read.
    """

    def __init__(self, source: AsyncBaseStore, target: AsyncBaseStore, budget: ByteBudget) -> None:
        self._source = source
        self._target = target
        self._budget = budget

    async def perform(self, step: Step) -> Outcome:
        """Do a step; whatever goes wrong is its outcome."""
        try:
            step = await self.resolve(step)
            if step.action == "keep":
                return Outcome(step, Action.IDENTICAL, info=step.there)
            return await self._change(step)
        except CONFLICTS as error:
            return await self._conflict(step, _lightened(error))
        except Exception as error:
            return Outcome(step, Action.FAILED, error=_lightened(error))

    async def resolve(self, step: Step) -> Step:
        """Read what has to be compared by reading; ``keep`` or ``copy`` comes of it."""
        if step.action != "compare":
            return step
        assert step.here is not None
        same = await self._read(step.here)
        if same is None:
            return step._replace(action="copy")
        here, there = map(_seen, (step.here, step.there), same)
        return step._replace(action="keep", here=here, there=there)

    async def _read(self, listed: ObjectInfo) -> tuple[ObjectInfo, ObjectInfo] | None:
        """What was read from both ends, if it was the same bytes."""
        taken = await self._budget.acquire(2 * min(listed.size or PIECE, PIECE))
        try:
            return await read_both(self._source, self._target, listed)
        finally:
            self._budget.give(taken)

    async def _conflict(self, step: Step, error: Exception) -> Outcome:
        """What it means that an end is not what it was."""
        return Outcome(step, Action.CONFLICT, error=error)

    async def _change(self, step: Step) -> Outcome:
        """Copy or delete."""
        if step.here is None:
            return Outcome(step, Action.DELETED)
        return Outcome(step, Action.COPIED, step.here.size or 0)


class Performer(Rehearsal):
    """Does steps.

    Args:
        source: Where the objects are.
        target: Where they go.
        budget: Bytes for what is read to be compared.
        copier: Brings objects over.
        backup: Takes what is about to be replaced or deleted; None: nobody does.
        repeats: Whether the same steps may have been done before, but for some at the end.
    """

    def __init__(
        self,
        source: AsyncBaseStore,
        target: AsyncBaseStore,
        budget: ByteBudget,
        copier: Copier,
        backup: Copier | None = None,
        *,
        repeats: bool = False,
    ) -> None:
        super().__init__(source, target, budget)
        self._copier = copier
        self._backup = backup
        self._repeats = repeats

    async def _conflict(self, step: Step, error: Exception) -> Outcome:
        if self._repeats and step.here is not None and not isinstance(error, SourceChanged):
            with suppress(Exception):
                same = await self._read(step.here)
                if same is not None and _seen(step.here, same[0]) is step.here:
                    return Outcome(step, Action.IDENTICAL, info=same[1])
        return await super()._conflict(step, error)

    async def _change(self, step: Step) -> Outcome:
        if step.here is None:
            with suppress(ObjectNotFound):  # somebody was quicker
                await self._delete(step)
            return Outcome(step, Action.DELETED)
        try:
            condition = await self._condition(step)
        except ObjectNotFound as error:
            raise PreconditionFailed("it went after the target was listed") from error
        await self._back_up(step)
        copied = await self._copier.copy(step.here, condition)
        return Outcome(step, Action.COPIED, copied.size, copied.info, copied.digest)

    async def _delete(self, step: Step) -> None:
        if await self._is_at_source(step.key):
            raise ObjectExists("the source has it, although it was not listed", key=step.key)
        condition = await self._condition(step)
        await self._back_up(step)
        await self._target.delete(step.key, missing_ok=True, if_match=condition.if_match)

    async def _is_at_source(self, key: str) -> bool:
        """Asked of each key, since a listing that ends too early may look like any other."""
        try:
            return await self._source.exists(key)
        except InvalidKey:
            return False

    async def _back_up(self, step: Step) -> None:
        if step.there is not None and self._backup is not None:
            await self._backup.copy(step.there, WRITE_OVER)

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
        listed = fingerprint(there)
        if listed is not None and fingerprint(await self._target.head(step.key)) != listed:
            raise PreconditionFailed("it changed after the target was listed", key=step.key)
        return WRITE_OVER


def _lightened(error: Exception) -> Exception:
    """An error whose traceback holds only its lines any more, and no object's bytes."""
    each: BaseException | None = error
    while each is not None:
        clear_frames(each.__traceback__)
        each = each.__cause__ or each.__context__
    return error


def _seen(listed: ObjectInfo | None, read: ObjectInfo) -> ObjectInfo:
    """What was listed, if that was read; else nothing that a journal could know again."""
    if listed is not None and (
        fingerprint(listed) == fingerprint(read)
        # There are servers whose listings tell other etags.
        or (listed.size, listed.modified) == (read.size, read.modified)
    ):
        return listed
    return ObjectInfo(read.key)
