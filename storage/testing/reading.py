"""An open reader is a file, and all its bytes are of one version."""

from __future__ import annotations

import io
import os

import pytest
from hypothesis import strategies as st

from .._async.base import AsyncBaseStore
from .._core.errors import ObjectNotFound, PreconditionFailed
from .._core.info import Capability
from .base import Conformance
from .harness import fuzz, profile

DATA = bytes(index * 11 % 253 for index in range(100_000)) * 7

NOT_OPEN = r"open|closed"


def same(one: bytes, other: bytes) -> bool:
    """Whether long texts are equal, without pytest's attempt to show where they differ."""
    return one == other


class ReaderChecks(Conformance):
    """Objects open for reading."""

    async def test_reader(self, store: AsyncBaseStore) -> None:
        await store.put("key", DATA)
        async with store.open_reader("key") as reader:
            assert reader.info.key == "key"
            assert reader.info.size in (len(DATA), None)
            assert reader.tell() == 0
            assert await reader.read(10) == DATA[:10]
            assert await reader.read(0) == b""
            assert reader.tell() == 10
            assert await reader.read(300_000) == DATA[10:300_010]
            assert await reader.read() == DATA[300_010:]
            assert await reader.read() == b""
            assert await reader.read(5) == b""
            assert reader.tell() == len(DATA)

    async def test_reader_seeks(self, store: AsyncBaseStore) -> None:
        await store.put("key", DATA)
        size = len(DATA)
        async with store.open_reader("key") as reader:
            assert await reader.seek(size - 5) == size - 5
            assert await reader.read() == DATA[-5:]
            assert await reader.seek(0) == 0
            assert await reader.read(3) == DATA[:3]
            assert await reader.seek(7, os.SEEK_CUR) == 10
            assert await reader.read(3) == DATA[10:13]
            assert await reader.seek(-6, os.SEEK_CUR) == 7
            assert await reader.read(6) == DATA[7:13]
            if reader.info.size is not None:
                assert await reader.seek(-4, os.SEEK_END) == size - 4
                assert await reader.read(100) == DATA[-4:]
            assert await reader.seek(size + 100) == size + 100
            assert await reader.read() == b""
            assert await reader.seek(5) == 5
            assert await reader.read(5) == DATA[5:10]
            with pytest.raises((OSError, ValueError)):
                await reader.seek(-1)
            assert await reader.read(5) == DATA[10:15]

    async def test_reader_is_a_file(self, store: AsyncBaseStore) -> None:
        """Any sequence of seeks and reads gives what an ordinary file gives."""
        await store.put("key", DATA)
        offset = st.integers(0, len(DATA) + 10)
        size = st.integers(0, 300_000)

        async def check(moves: list[tuple[bool, int, int]]) -> None:
            model = io.BytesIO(DATA)
            async with store.open_reader("key") as reader:
                for seeks, place, amount in moves:
                    if seeks:
                        assert await reader.seek(place) == model.seek(place)
                    assert await reader.read(amount) == model.read(amount)
                    assert reader.tell() == model.tell()

        moves = st.lists(st.tuples(st.booleans(), offset, size), max_size=6)
        await fuzz(moves, check, profile(self.examples // 4, shrinks=self.shrinks))

    async def test_reader_iterates(self, store: AsyncBaseStore) -> None:
        await store.put("key", DATA)
        async with store.open_reader("key") as reader:
            assert await reader.read(7) == DATA[:7]
            pieces = [piece async for piece in reader]
            assert all(pieces)
            assert b"".join(pieces) == DATA[7:]
            assert reader.tell() == len(DATA)
            assert [piece async for piece in reader] == []
        await store.put("empty", b"")
        async with store.open_reader("empty") as reader:
            assert [piece async for piece in reader] == []
            assert await reader.read() == b""

    async def test_closed_reader(self, store: AsyncBaseStore) -> None:
        await store.put("key", DATA)
        reader = store.open_reader("key")
        with pytest.raises(ValueError, match="open"):
            await reader.read()
        async with reader:
            await reader.read(5)
            await reader.aclose()
            await reader.aclose()
            with pytest.raises(ValueError, match=NOT_OPEN):
                await reader.read()

    async def test_readers_let_go(self, store: AsyncBaseStore) -> None:
        await store.put("key", DATA)
        async with self.no_descriptors_left():
            for _ in range(3):
                async with store.open_reader("key") as reader:
                    await reader.read(10)
                    await reader.seek(500_000)
                    await reader.read(10)
                with pytest.raises(RuntimeError, match="the user's"):
                    async with store.open_reader("key") as reader:
                        await reader.read(10)
                        raise RuntimeError("the user's")
                with pytest.raises(ObjectNotFound):
                    async with store.open_reader("missing"):
                        pass
        await store.delete("key")

    async def test_many_readers_at_once(self, store: AsyncBaseStore) -> None:
        await store.put("key", DATA)
        async with store.open_reader("key") as one, store.open_reader("key") as two:
            assert await one.read(5) == DATA[:5]
            assert await two.read(10) == DATA[:10]
            assert await one.read(5) == DATA[5:10]
            assert await two.read() == DATA[10:]
            assert await one.read() == DATA[10:]

    @pytest.mark.parametrize("change", ["overwritten", "streamed", "deleted", "moved"])
    async def test_reader_keeps_one_version(self, store: AsyncBaseStore, change: str) -> None:
        """While the object changes: the old content to its end, or an error, never a mixture."""
        old, new = b"\x01" * 2_000_000, b"\x02" * 2_000_000
        await store.put("key", old)
        await store.put("new", new)
        async with store.open_reader("key") as reader:
            assert await reader.read(10) == old[:10]
            await self._change(store, change, new)
            read = old[:10]
            try:
                read += await reader.read(500_000)
                read += await reader.read()
            except (PreconditionFailed, ObjectNotFound):
                pass
            else:
                assert same(read, old)
            if Capability.READ_CONDITIONS in store.capabilities:
                try:
                    await reader.seek(1_000)
                    again = await reader.read()
                except (PreconditionFailed, ObjectNotFound):
                    pass
                else:
                    assert same(again, old[1_000:])

    @staticmethod
    async def _change(store: AsyncBaseStore, change: str, new: bytes) -> None:
        if change == "overwritten":
            await store.put("key", new)
        elif change == "streamed":
            await store.put("key", iter([new[:1_000_000], new[1_000_000:]]))
        elif change == "moved":
            await store.move("new", "key")
        else:
            await store.delete("key")
