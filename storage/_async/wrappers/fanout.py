"""One store made of several that hold the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from operator import and_
from typing import Any

from ..._core.errors import ConfigError, FanoutError
from ..._core.info import Capability
from ..._core.keylocks import KeyLocks
from ..._core.protocol import AsyncObjectStore
from ..._core.values import STREAM
from ._fanout.agreeing import Agreeing
from ._fanout.policies import ReadPolicy, WritePolicy, check_policy, writes_needed
from ._fanout.reading import Reading
from ._fanout.repair import Repairs
from ._fanout.replicas import Replicas
from ._fanout.writes import FanoutWrites


class AsyncFanoutStore(FanoutWrites):
    """Several stores that hold the same: all are written at once, and one answers for all.

    Writes through one such store and one event loop to the same key go one after another, so that
    all children end alike; writers elsewhere are not known here. There are no conditions, since no
    child can decide them alone.

    Args:
        children: The stores, in the order in which they are read; at least one.
        write: Who has to take a write for it to count: ``all`` children, a ``quorum`` (more than
            half) or ``any`` one. All are always tried. With less than all, a child that missed a
            write gives the old object, or a deleted one, to reads that are not by quorum too.
        read: ``first`` asks one child after another until one has the object, and goes around
            those that fail; ``fastest`` asks all at once and takes what comes first; ``quorum``
            asks all, and more than half have to give the same bytes. A key is missing if all
            children say so (``quorum``: more than half). A listing fails if any child's does
            (``quorum``: if less than half can be listed), since any may hold what others lack.
        repair: Give an object that was read to children that lack it or, with ``quorum``, hold
            other content. That happens in the background, is checked by digest, and overwrites
            nothing newer where the child knows conditions. A child whose root is missing is left.
        child_timeout: Seconds that a child may take for one call, or one piece of a stream; after
            that it is given up and counts as failed. None: for ever.
        on_failure: Called with the `FanoutError` of each call that succeeded although some
            children failed, in a worker thread. Such failures are also logged as warnings.
        timeout: Seconds that one operation may take.

    Raises:
        FanoutError: Too many children failed; ``errors`` names them. The others have done a write.
        QuorumError: No majority of the children agrees on the object.
    """

    def __init__(
        self,
        children: Sequence[AsyncObjectStore],
        *,
        write: WritePolicy = "all",
        read: ReadPolicy = "first",
        repair: bool = False,
        child_timeout: float | None = None,
        on_failure: Callable[[FanoutError], None] | None = None,
        timeout: float | None = None,
    ) -> None:
        super().__init__(children, timeout=timeout)
        if not self._children:
            raise ConfigError("a fan-out has at least one child")
        check_policy("write", write, WritePolicy)
        check_policy("read", read, ReadPolicy)
        if child_timeout is not None and not child_timeout > 0:
            raise ConfigError(f"child_timeout is a number of seconds above 0, not {child_timeout}")
        self._policy = read
        self._needed = writes_needed(write, len(self._children))
        self._on_failure = on_failure
        self._replicas = Replicas(self._children, child_timeout)
        self._inquiry = Reading(self._replicas, read)
        self._agreeing = Agreeing(self._replicas)
        self._repairs = Repairs(self._replicas, repair)
        self._locks = KeyLocks()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_locks"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _locks=KeyLocks())

    @property
    def capabilities(self) -> Capability:  # type: ignore[override]
        """What all children do by themselves, but for conditions."""
        # Asked each time: a child may learn later what its server can do.
        common = reduce(and_, (child.capabilities for child in self._children))
        if self._policy == "quorum" and Capability.READ_CONDITIONS not in common:
            common &= ~Capability.STREAMS  # nothing holds the version fast that was agreed on
        return common & _SHARED

    def _as_value(self, data: Any) -> Any:
        values = [child._as_value(data) for child in self._children]
        return STREAM if any(value is STREAM for value in values) else values[0]

    def _check_key(self, key: str) -> None:
        for child in self._children:
            child._check_key(key)

    async def _teardown(self) -> None:
        try:
            await self._repairs.aclose()
            await self._replicas.aclose()
        finally:
            await super()._teardown()


_SHARED = (
    Capability.ORDERED | Capability.ATTRIBUTES | Capability.STREAMS | Capability.RANGES
)  # conditions are no child's alone to decide

AsyncMirroringStore = AsyncFanoutStore
