# Generated from storage/_async/wrappers/chaos.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""A store with faults, for tests of what is built on stores."""

from __future__ import annotations

from typing import ClassVar

from ..._async.wrappers.chaos import AsyncChaosStore, Fault, Rate
from ..._core.adapt import to_async
from ..._core.protocol import ObjectStore
from .around import AroundStore


class ChaosStore(AroundStore):
    """Does what its child does, and at random what networks and servers do.

    What befalls an operation depends on the seed, the verb, the key and how often this key was
    used with it, and on nothing else: a run with the same operations on each key has the same
    faults, in whatever order its tasks come. Rates are probabilities from 0 to 1, for all verbs
    or by verb; verbs are named as in a logging store (``get``, ``open_reader``, ``put``,
    ``open_writer``, ``delete_many``, ...).

    Args:
        store: A store of ours, or any object with the five async verbs.
        seed: Chooses the faults.
        errors: How often an operation fails before anything is done.
        lost: How often a change is made and reported as failed all the same.
        latency: How often an operation is slow.
        truncated: How often a stream ends early, as if the object did: the second half of its
            first piece, and all others, are missing.
        broken: How often a stream that is written fails, after its first piece and before it is
            published.
        seconds: How slow a slow operation is at most.
        timeout: Seconds that one operation may take.

    Raises:
        StoreUnavailable: By operations that were made to fail.
    """

    _async: AsyncChaosStore
    _async_type: ClassVar[type[AsyncChaosStore]] = AsyncChaosStore

    def __init__(
        self,
        store: ObjectStore,
        seed: int = 0,
        *,
        errors: Rate = 0.0,
        lost: Rate = 0.0,
        latency: Rate = 0.0,
        truncated: Rate = 0.0,
        broken: Rate = 0.0,
        seconds: float = 0.01,
        timeout: float | None = None,
    ) -> None:
        self._hold(
            self._async_type(
                to_async(store),
                seed,
                errors=errors,
                lost=lost,
                latency=latency,
                truncated=truncated,
                broken=broken,
                seconds=seconds,
                timeout=timeout,
            )
        )

    @property
    def faults(self) -> list[Fault]:
        return self._async.faults
