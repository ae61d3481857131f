# Generated from storage/_async/wrappers/fanout.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""One store made of several that hold the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from ..._async.wrappers._fanout.policies import ReadPolicy, WritePolicy
from ..._async.wrappers.fanout import AsyncFanoutStore
from ..._core.adapt import to_async_all
from ..._core.errors import FanoutError
from ..._core.info import Capability
from ..._core.protocol import ObjectStore
from .children import ParentStore


class FanoutStore(ParentStore):
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

    _async: AsyncFanoutStore
    _async_type: ClassVar[type[AsyncFanoutStore]] = AsyncFanoutStore

    def __init__(
        self,
        children: Sequence[ObjectStore],
        *,
        write: WritePolicy = "all",
        read: ReadPolicy = "first",
        repair: bool = False,
        child_timeout: float | None = None,
        on_failure: Callable[[FanoutError], None] | None = None,
        timeout: float | None = None,
    ) -> None:
        self._hold(
            self._async_type(
                to_async_all(children),
                write=write,
                read=read,
                repair=repair,
                child_timeout=child_timeout,
                on_failure=on_failure,
                timeout=timeout,
            )
        )

    @property
    def capabilities(self) -> Capability:
        """What all children do by themselves, but for conditions."""
        return self._async.capabilities

    def presigned_put(self, key: str, expiry: int = 3600) -> str:
        """See `SupportsPresign`; only where one child that takes a write is enough.

        Raises:
            NotSupported: What is sent to a URL would reach one child alone, or no child gives
                out URLs.
        """
        return self._run(self._async.presigned_put(key, expiry))

    def presigned_get(self, key: str, expiry: int = 3600) -> str:
        """See `SupportsPresign`; by the first child that gives out URLs.

        Raises:
            NotSupported: No child does.
        """
        return self._run(self._async.presigned_get(key, expiry))


MirroringStore = FanoutStore
