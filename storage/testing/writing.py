"""An open writer publishes all of it at its end, or nothing."""

from __future__ import annotations

import pytest

from .._async.base import AsyncBaseStore
from .base import Conformance

PIECE = bytes(range(256)) * 1_000

NOT_OPEN = r"open|closed"


class Failed(Exception):
    """What the user's block raises."""


class WriterChecks(Conformance):
    """Objects open for writing."""

    async def test_writer(self, store: AsyncBaseStore) -> None:
        async with store.open_writer("key") as writer:
            assert writer.tell() == 0
            assert await writer.write(b"abc") == 3
            assert await writer.write(bytearray(b"de")) == 2
            assert await writer.write(memoryview(b"f")) == 1
            assert await writer.write(b"") == 0
            assert writer.tell() == 6
            with pytest.raises(ValueError, match="published"):
                writer.info  # noqa: B018
        assert writer.info.key == "key"
        assert writer.info.size in (6, None)
        assert await store.get("key") == b"abcdef"

    async def test_writer_of_much(self, store: AsyncBaseStore) -> None:
        async with store.open_writer("key") as writer:
            for _ in range(30):
                await writer.write(PIECE)
            assert writer.tell() == len(PIECE) * 30
        assert await store.get("key") == PIECE * 30

    async def test_writer_of_nothing(self, store: AsyncBaseStore) -> None:
        async with store.open_writer("key"):
            pass
        assert await self.contents(store) == {"key": b""}

    async def test_publishes_at_its_end_only(self, store: AsyncBaseStore) -> None:
        await store.put("old", b"old")
        async with store.open_writer("old") as over, store.open_writer("new") as writer:
            for _ in range(6):
                await writer.write(PIECE)
                await over.write(PIECE)
                assert await self.contents(store) == {"old": b"old"}
                assert not await store.exists("new")
        assert await self.contents(store) == {"old": PIECE * 6, "new": PIECE * 6}
        await self.clean(store)

    @pytest.mark.parametrize("pieces", [0, 1, 6])
    async def test_writer_whose_block_raises(self, store: AsyncBaseStore, pieces: int) -> None:
        await store.put("old", b"old")
        for key in ("old", "new"):
            with pytest.raises(Failed, match="the user's"):
                async with store.open_writer(key) as writer:
                    for _ in range(pieces):
                        await writer.write(PIECE)
                    raise Failed("the user's")
            with pytest.raises(ValueError, match="published"):
                writer.info  # noqa: B018
        assert await self.contents(store) == {"old": b"old"}
        await self.clean(store)

    async def test_abort(self, store: AsyncBaseStore) -> None:
        await store.put("old", b"old")
        for key in ("old", "new"):
            async with store.open_writer(key) as writer:
                await writer.write(PIECE)
                await writer.abort()
                await writer.abort()
                with pytest.raises(ValueError, match=NOT_OPEN):
                    await writer.write(b"more")
        assert await self.contents(store) == {"old": b"old"}
        await self.clean(store)

    async def test_abort_after_the_end(self, store: AsyncBaseStore) -> None:
        async with store.open_writer("key") as writer:
            await writer.write(b"value")
            await writer.aclose()
            assert await store.get("key") == b"value"
            await writer.aclose()
            await writer.abort()
        assert await store.get("key") == b"value"
        with pytest.raises(ValueError, match=NOT_OPEN):
            await writer.write(b"more")

    async def test_writer_is_not_open(self, store: AsyncBaseStore) -> None:
        writer = store.open_writer("key")
        with pytest.raises(ValueError, match="open"):
            await writer.write(b"value")
        assert await self.contents(store) == {}
        await self.clean(store)

    async def test_two_writers(self, store: AsyncBaseStore) -> None:
        """The one that ends last stays, whole."""
        async with store.open_writer("key") as first:
            await first.write(b"1" * 300_000)
            async with store.open_writer("key") as second:
                await second.write(b"2" * 200_000)
                await first.write(b"1" * 100_000)
            assert await store.get("key") == b"2" * 200_000
        assert await store.get("key") == b"1" * 400_000
        assert await self.contents(store) == {"key": b"1" * 400_000}
        await self.clean(store)

    async def test_store_works_while_writing(self, store: AsyncBaseStore) -> None:
        async with store.open_writer("key") as writer:
            await writer.write(b"first, ")
            await store.put("other", b"other")
            assert await store.get("other") == b"other"
            await store.delete("other")
            await writer.write(b"second")
        assert await self.contents(store) == {"key": b"first, second"}

    async def test_writers_let_go(self, store: AsyncBaseStore) -> None:
        await store.put("key", PIECE)
        async with self.no_descriptors_left():
            for _ in range(3):
                async with store.open_writer("key") as writer:
                    await writer.write(PIECE)
                with pytest.raises(Failed):
                    async with store.open_writer("key") as writer:
                        await writer.write(PIECE)
                        raise Failed
                await store.put("key", iter([PIECE, PIECE]))
