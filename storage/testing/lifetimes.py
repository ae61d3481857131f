"""Objects go by themselves when their time is over, where a store can be told so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from time import monotonic

import pytest

from .._async.base import AsyncBaseStore
from .._core.errors import ObjectNotFound, PreconditionFailed
from .._core.info import Capability
from .._core.protocol import SupportsTTL
from .base import Conformance

LIFETIMES = 0.05, 0.5, 5.0
"""Seconds that objects live here; the next one where a store was too slow for the first."""


class LifetimeChecks(Conformance):
    """Times to live."""

    def _for(self, store: AsyncBaseStore, ttl: float) -> AsyncBaseStore:
        """The same store, where what is put lives for so long."""
        origin = self._origin(store)
        if not isinstance(origin, SupportsTTL):
            pytest.skip("the store knows no lifetimes")
        return self.presented(origin.with_ttl(ttl))

    async def test_lifetime(self, store: AsyncBaseStore) -> None:
        """What is over is missing, for every verb; all else stays."""
        short = self._for(store, LIFETIMES[0])
        await self._for(store, 3600).put("lasts", b"1")
        await store.put("ever", b"2")
        await self._for(store, 0).put("never", b"3")
        old = await short.put("goes", b"4")
        await asyncio.sleep(LIFETIMES[0] * 1.2)
        for key in ("goes", "never"):
            assert not await store.exists(key)
            for verb in (store.get, store.head, store.delete):
                with pytest.raises(ObjectNotFound):
                    await verb(key)
            await store.delete(key, missing_ok=True)
        there = {"lasts", "ever"}
        assert {key async for key in store.keys()} == there
        assert {info.key async for info in store.list()} == there
        assert {info.key for info in (await store.list_with_delimiter()).objects} == there
        assert {key async for key, _ in store.get_many(["goes", *there], missing_ok=True)} == there
        if old.etag is not None and Capability.IF_MATCH in store.capabilities:
            with pytest.raises(PreconditionFailed):
                await store.put("goes", b"", if_match=old.etag)
        if Capability.IF_ABSENT in store.capabilities:
            await self._for(store, LIFETIMES[0]).put("anew", b"")
            await asyncio.sleep(LIFETIMES[0] * 1.2)
            await store.put("anew", b"5", if_absent=True)
            assert await store.get("anew") == b"5"

    async def test_lifetime_of_each_put(self, store: AsyncBaseStore) -> None:
        """The last put says how long; streams and bulk verbs do as a put does."""
        short = self._for(store, LIFETIMES[0])
        await short.put("stays", b"1")
        await store.put("stays", b"2")
        await store.put("put", b"1")
        await short.put("put", b"2")
        await short.put("streamed", _pieces())
        async with short.open_writer("written") as writer:
            await writer.write(b"1")
        await short.put_many({"many": b"1"})
        await asyncio.sleep(LIFETIMES[0] * 1.2)
        assert await self.contents(store) == {"stays": b"2"}

    async def test_lifetime_goes_along(self, store: AsyncBaseStore) -> None:
        """A copy goes when its source would, and so does what was moved."""
        for lifetime in LIFETIMES:
            short, begin = self._for(store, lifetime), monotonic()
            await store.put("ever", b"1")
            try:
                await short.copy("ever", "copied")
                for key in ("a", "b"):
                    await short.put(key, b"2")
                await store.copy("a", "a-copied")
                await store.move("b", "b-moved")
            except ObjectNotFound:
                if monotonic() - begin < lifetime:
                    raise
                continue
            break
        await asyncio.sleep(lifetime * 1.2)
        assert {key async for key in store.keys()} == {"ever", "copied"}


async def _pieces() -> AsyncIterator[bytes]:
    for _ in range(3):
        yield bytes(300_000)
