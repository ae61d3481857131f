"""Locks between processes in any store: objects that say who has it, and until when.

Nobody is told that a holder has died, so a lease ends: a holder that has not synced for that long
may be displaced, and learns so at its next sync, before it writes. A process that died on this
machine is displaced at once. Clocks of different machines have to agree within a fraction of the
lease.
"""

from __future__ import annotations

import os
from time import monotonic

from ..._core import calls
from ..._core.errors import ObjectExists, ObjectNotFound, PreconditionFailed, StoreNotFound
from ..._core.info import Capability
from ..base import AsyncBaseStore
from .locks import Lock
from .owners import NOBODY, Owner, locked
from .turns import Pauses

NEEDED = Capability.IF_ABSENT | Capability.IF_MATCH | Capability.DELETE_IF_MATCH
LOST = "the lock was lost, since nothing was synced for longer than the lease"


def lease_on(store: AsyncBaseStore, key: str, seconds: float) -> Lock:
    """The kind of lease that a store can hold."""
    conditional = (store.capabilities & NEEDED) == NEEDED
    return (Lease if conditional else Announcement)(store, key, seconds)


class _LeaseBase:
    """What both kinds share: trying until the time is over. A forked child has no part in it.

    Args:
        store: Where it is held.
        key: Under which key; an announcement has more after it.
        seconds: For how long, from each sync on.
    """

    def __init__(self, store: AsyncBaseStore, key: str, seconds: float) -> None:
        self._store = store
        self._key = key
        self._seconds = seconds
        self._owner = NOBODY

    async def acquire(self, wait: float) -> None:
        """See `Lock`."""
        end, pauses = monotonic() + wait, Pauses()
        self._owner = await calls.call(Owner.here)
        while True:
            held, holder = await self._try()
            if held:
                return
            if monotonic() >= end:
                raise locked(self._what(), holder)
            await pauses.rest()

    async def renew(self) -> None:
        """See `Lock`."""
        if self._owner.pid != os.getpid():
            raise locked(self._what(), self._owner)
        held, holder = await self._renew()
        if not held:
            raise locked(f"{LOST}: {self._what()}", holder)

    async def _try(self) -> tuple[bool, Owner | None]:
        """Whether it is ours now, or else whose it is."""
        raise NotImplementedError

    async def _renew(self) -> tuple[bool, Owner | None]:
        """The same for one that was ours."""
        raise NotImplementedError

    def _what(self) -> str:
        return f"{self._key!r} in {self._store!r}"

    def _mine(self) -> bytes:
        return self._owner.until(self._seconds).dump()


class Lease(_LeaseBase):
    """One object, which is created, taken over and removed under conditions."""

    _etag: str | None = None
    _wanted = False
    """Whether it may be ours: a call that was cancelled may have been heard."""

    async def _try(self) -> tuple[bool, Owner | None]:
        self._wanted = True
        try:
            info = await self._store.put(self._key, self._mine(), if_absent=True)
        except ObjectExists:
            return await self._displace()
        self._etag = info.etag
        return True, None

    async def _displace(self) -> tuple[bool, Owner | None]:
        try:
            data, info = await self._store.get_with_info(self._key)
            holder = Owner.parse(data)
            if holder is None or not (holder.is_gone() or holder.token == self._owner.token):
                return False, holder
            taken = await self._store.put(self._key, self._mine(), if_match=info.etag)
        except (ObjectNotFound, PreconditionFailed):  # somebody was faster
            return False, None
        self._etag = taken.etag
        return True, None

    async def _renew(self) -> tuple[bool, Owner | None]:
        try:
            info = await self._store.put(self._key, self._mine(), if_match=self._etag)
        except (ObjectNotFound, PreconditionFailed):
            # Perhaps it is ours all the same: the answer to an earlier call may have been lost.
            return await self._try()
        self._etag = info.etag
        return True, None

    async def release(self) -> None:
        """See `Lock`."""
        if not self._wanted or self._owner.pid != os.getpid():
            return
        try:
            data, info = await self._store.get_with_info(self._key)
            holder = Owner.parse(data)
            if holder is not None and holder.token == self._owner.token:
                await self._store.delete(self._key, if_match=info.etag)
        except (PreconditionFailed, ObjectNotFound, StoreNotFound):
            pass  # it is somebody else's by now
        self._wanted = False  # not before: who was interrupted tries again


class Announcement(_LeaseBase):
    """An object for each who wants it, for stores that know no conditions.

    Whoever has announced himself looks who else has. Of two that come at once, at least the one
    who looks last sees the other and withdraws; perhaps both do, and try again. The store has to
    list what was written before the listing began, as file servers do.

    Nobody displaces a holder in its time, so that one does not look who else is there. When its
    time is over, or nearly so, it is one of many again.
    """

    _announced = False

    @property
    def _own(self) -> str:
        return f"{self._key}.{self._owner.token}"

    async def _try(self) -> tuple[bool, Owner | None]:
        self._announced = True
        self._owner = self._owner.until(self._seconds)
        await self._store.put(self._own, self._owner.dump())
        holder = await self._other()
        if holder is None:
            return True, None
        await self.release()
        return False, holder

    async def _other(self) -> Owner | None:
        """Somebody else who has announced himself and is not gone."""
        others = [key async for key in self._store.keys(f"{self._key}.") if key != self._own]
        for key in others:
            try:
                holder = Owner.parse(await self._store.get(key))
            except (ObjectNotFound, StoreNotFound):
                continue
            if holder is not None and not holder.is_gone():
                return holder
            await self._store.delete(key, missing_ok=True)
        return None

    async def _renew(self) -> tuple[bool, Owner | None]:
        if self._owner.is_gone(self._seconds / 4):
            return await self._try()
        self._owner = self._owner.until(self._seconds)
        await self._store.put(self._own, self._owner.dump())
        return True, None

    async def release(self) -> None:
        """See `Lock`."""
        if self._announced and self._owner.pid == os.getpid():
            await self._store.delete(self._own, missing_ok=True)
            self._announced = False
