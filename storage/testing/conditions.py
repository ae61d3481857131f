"""Conditions hold, or are refused; what fails leaves all as it was."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from .._async.base import AsyncBaseStore
from .._core.errors import (
    ConfigError,
    NotModified,
    ObjectExists,
    ObjectNotFound,
    PreconditionFailed,
)
from .._core.info import Capability
from .attempts import tried
from .base import Conformance

PIECES = [b"piece" * 20_000] * 3


class ConditionChecks(Conformance):
    """Conditional calls, one at a time; `RaceChecks` has many at once."""

    async def _etag(self, store: AsyncBaseStore, key: str = "key") -> str:
        etag = (await store.head(key)).etag
        assert etag, "a store with conditions knows etags"
        return etag

    async def test_if_absent(self, store: AsyncBaseStore) -> None:
        await store.put("key", b"old")
        if not await self.promises(
            store,
            Capability.IF_ABSENT,
            lambda: store.put("key", b"new", if_absent=True),
            lambda: store.put("new", b"new", if_absent=True),
            lambda: store.put("new", iter(PIECES), if_absent=True),
            lambda: store.open_writer("new", if_absent=True),
        ):
            return
        for data in (b"new", b"", iter(PIECES)):
            with pytest.raises(ObjectExists) as caught:
                await store.put("key", data, if_absent=True)
            assert isinstance(caught.value, FileExistsError)
            assert await store.get("key") == b"old"
        await store.put("new", b"new", if_absent=True)
        await store.put("streamed", iter(PIECES), if_absent=True)
        assert await store.get("new") == b"new"
        assert await store.get("streamed") == b"".join(PIECES)
        await store.delete("key")
        await store.put("key", b"again", if_absent=True)
        assert await store.get("key") == b"again"
        await self.clean(store)

    async def test_writer_if_absent(self, store: AsyncBaseStore) -> None:
        """It holds when the writer publishes, not only when it opens."""
        if Capability.IF_ABSENT not in store.capabilities:
            pytest.skip("the store does not declare IF_ABSENT")
        for pieces in (PIECES[:1], PIECES):
            with pytest.raises(ObjectExists):
                async with store.open_writer("key", if_absent=True) as writer:
                    for piece in pieces:
                        await writer.write(piece)
                    await store.put("key", b"somebody else's")
            assert await store.get("key") == b"somebody else's"
            await store.delete("key")
            await self.clean(store)
        async with store.open_writer("key", if_absent=True) as writer:
            await writer.write(b"value")
        assert await store.get("key") == b"value"

    async def test_if_match(self, store: AsyncBaseStore) -> None:
        first = (await store.put("key", b"1111")).etag or "any"
        if not await self.promises(
            store,
            Capability.IF_MATCH,
            lambda: store.put("key", b"new", if_match=first),
            lambda: store.put("key", iter(PIECES), if_match=first),
            lambda: store.open_writer("key", if_match=first),
        ):
            return
        second = (await store.put("key", b"2222", if_match=first)).etag or ""
        assert second not in ("", first)
        assert second == await self._etag(store)
        for data in (b"3333", iter(PIECES)):
            for stale in (first, "no such etag"):
                with pytest.raises(PreconditionFailed):
                    await store.put("key", data, if_match=stale)
        assert await store.get("key") == b"2222"
        third = (await store.put("key", iter(PIECES), if_match=second)).etag or ""
        assert await store.get("key") == b"".join(PIECES)
        await store.delete("key")
        for stale in (second, third):
            with pytest.raises(PreconditionFailed):
                await store.put("key", b"back", if_match=stale)
        assert await self.contents(store) == {}
        await self.clean(store)

    async def test_writer_if_match(self, store: AsyncBaseStore) -> None:
        """It holds when the writer publishes, not only when it opens."""
        if Capability.IF_MATCH not in store.capabilities:
            pytest.skip("the store does not declare IF_MATCH")
        await store.put("key", b"1111")
        for pieces, other in ((PIECES[:1], b"2222"), (PIECES, b"3333")):
            with pytest.raises(PreconditionFailed):
                async with store.open_writer("key", if_match=await self._etag(store)) as writer:
                    for piece in pieces:
                        await writer.write(piece)
                    await store.put("key", other)
            assert await store.get("key") == other
            await self.clean(store)
        async with store.open_writer("key", if_match=await self._etag(store)) as writer:
            await writer.write(b"4444")
        assert await store.get("key") == b"4444"

    async def test_both_conditions(self, store: AsyncBaseStore) -> None:
        needed = Capability.IF_ABSENT | Capability.IF_MATCH
        if needed not in store.capabilities:
            pytest.skip("the store does not declare both")
        with pytest.raises(ConfigError):
            await store.put("key", b"", if_absent=True, if_match="etag")
        assert not await store.exists("key")

    async def test_delete_if_match(self, store: AsyncBaseStore) -> None:
        first = (await store.put("key", b"first")).etag or "any"
        if not await self.promises(
            store, Capability.DELETE_IF_MATCH, lambda: store.delete("key", if_match=first)
        ):
            return
        await store.put("key", b"other")
        for missing_ok in (False, True):
            for stale in (first, "no such etag"):
                with pytest.raises(PreconditionFailed):
                    await store.delete("key", if_match=stale, missing_ok=missing_ok)
        assert await store.get("key") == b"other"
        await store.delete("key", if_match=await self._etag(store))
        assert not await store.exists("key")
        with pytest.raises((ObjectNotFound, PreconditionFailed)):
            await store.delete("key", if_match=first)

    async def test_read_conditions(self, store: AsyncBaseStore) -> None:
        first = (await store.put("key", b"former")).etag or "any"
        if not await self.promises(
            store,
            Capability.READ_CONDITIONS,
            lambda: store.get("key", if_match=first),
            lambda: store.get("key", if_none_match=first),
            lambda: store.get_range("key", 0, 1, if_match=first),
            lambda: store.get_ranges("key", [(0, 1)], if_match=first),
            lambda: store.open_reader("key", if_match=first),
            lambda: store.stream("key", if_none_match=first),
        ):
            return
        second = (await store.put("key", b"second")).etag
        for etag, good, bad in ((second, "if_match", "if_none_match"),
                                (first, "if_none_match", "if_match")):  # fmt: skip
            await self._reads(store, {good: etag})
            await self._fails(store, {bad: etag})

    async def _reads(self, store: AsyncBaseStore, condition: dict[str, Any]) -> None:
        assert await store.get("key", **condition) == b"second"
        assert (await store.get_with_info("key", start=1, **condition))[0] == b"econd"
        assert b"".join([piece async for piece in store.stream("key", **condition)]) == b"second"
        async with store.open_reader("key", **condition) as reader:
            assert await reader.read() == b"second"
        if "if_match" in condition:
            assert await store.get_range("key", 1, 3, **condition) == b"ec"
            assert list(await store.get_ranges("key", [(0, 1), (-1, None)], **condition)) == [
                b"s",
                b"d",
            ]

    async def _fails(self, store: AsyncBaseStore, condition: dict[str, Any]) -> None:
        attempts = [
            lambda: store.get("key", **condition),
            lambda: store.get_with_info("key", start=1, **condition),
            lambda: store.stream("key", **condition),
            lambda: store.open_reader("key", **condition),
        ]
        if "if_match" in condition:
            attempts += [
                lambda: store.get_range("key", 1, 3, **condition),
                lambda: store.get_ranges("key", [(0, 1)], **condition),
                lambda: store.get_ranges("key", [(-1, None)], **condition),
            ]
        for attempt in attempts:
            with pytest.raises(PreconditionFailed) as caught:
                await tried(attempt)
            assert isinstance(caught.value, NotModified) == ("if_none_match" in condition)

    async def test_read_conditions_of_nothing(self, store: AsyncBaseStore) -> None:
        if Capability.READ_CONDITIONS not in store.capabilities:
            pytest.skip("the store does not declare READ_CONDITIONS")
        for condition in ({"if_match": "etag"}, {"if_none_match": "etag"}):
            with pytest.raises((ObjectNotFound, PreconditionFailed)):
                await store.get("missing", **condition)

    async def test_copy_if_absent(self, store: AsyncBaseStore) -> None:
        await store.put("source", b"new")
        await store.put("target", b"old")
        verbs = (store.copy, store.move)
        if not await self.promises(
            store,
            Capability.COPY_IF_ABSENT,
            *(partial(verb, "source", "free", if_absent=True) for verb in verbs),
            *(partial(verb, "source", "target", if_absent=True) for verb in verbs),
        ):
            return
        for verb in verbs:
            for target in ("target", "source"):
                with pytest.raises(ObjectExists):
                    await verb("source", target, if_absent=True)
            assert await self.contents(store) == {"source": b"new", "target": b"old"}
            with pytest.raises(ObjectNotFound):
                await verb("missing", "free", if_absent=True)
        await store.copy("source", "copied", if_absent=True)
        await store.move("source", "moved", if_absent=True)
        expected = {"target": b"old", "copied": b"new", "moved": b"new"}
        assert await self.contents(store) == expected
