"""What can be a value, and what cannot."""

from __future__ import annotations

import array
import io
import mmap
from collections.abc import Callable
from typing import Any

import pytest

from .._async.backends.memory import AsyncDictStore
from .._async.base import AsyncBaseStore
from .asasync import in_thread
from .base import Conformance

TEXT = b"0123456789" * 100


class ValueChecks(Conformance):
    """Values of every kind."""

    async def test_bytes_like(self, store: AsyncBaseStore) -> None:
        for kind in ("bytes", "bytearray", "memoryview", "array", "words", "mmap"):
            data = _bytes_like(kind)
            expected = bytes(memoryview(data).cast("B"))
            info = await store.put("key", data)
            assert info.size in (len(expected), None), kind
            assert await store.get("key") == expected, kind
            async with store.open_writer("written") as writer:
                assert await writer.write(data) == len(expected), kind
            assert await store.get("written") == expected, kind

    async def test_value_is_taken_at_once(self, store: AsyncBaseStore) -> None:
        data = bytearray(b"as it was")
        await store.put("key", data)
        data[:] = b"now other"
        assert await store.get("key") == b"as it was"
        async with store.open_writer("written") as writer:
            for letter in b"abc":
                data[:] = bytes([letter]) * 9
                await writer.write(data)
        assert await store.get("written") == b"aaaaaaaaabbbbbbbbbccccccccc"

    async def test_not_bytes(self, store: AsyncBaseStore) -> None:
        await store.put("old", b"old")
        for kind, make in _NOT_BYTES.items():
            for key in ("old", "new"):
                with pytest.raises(TypeError):
                    await store.put(key, make())
                    pytest.fail(f"{kind} was taken for bytes")
            assert await self.contents(store) == {"old": b"old"}, kind
            await self.clean(store)

    async def test_not_bytes_are_not_written(self, store: AsyncBaseStore) -> None:
        for data in ("text", 7, None, [1, 2]):
            with pytest.raises(TypeError):
                async with store.open_writer("key") as writer:
                    await writer.write(data)  # type: ignore[arg-type]
        assert not await store.exists("key")
        await self.clean(store)

    async def test_open_file(self, store: AsyncBaseStore) -> None:
        path = self.tmp_path / "a file of the user's"
        await in_thread(path.write_bytes, TEXT)
        with await in_thread(path.open, "rb") as file:
            await store.put("whole", file)
            assert not file.closed
            file.seek(990)
            await store.put("rest", file)
            await store.put("end", file)
        with await in_thread(path.open, "rb", buffering=0) as file:
            await store.put("raw", file)
        assert await self.contents(store) == {
            "whole": TEXT,
            "rest": TEXT[990:],
            "end": b"",
            "raw": TEXT,
        }

    async def test_bytes_io(self, store: AsyncBaseStore) -> None:
        await store.put("key", io.BytesIO(TEXT * 1_000))
        assert await store.get("key") == TEXT * 1_000

    async def test_async_file(self, store: AsyncBaseStore) -> None:
        aiofiles = pytest.importorskip("aiofiles")
        path = self.tmp_path / "a file of the user's"
        await in_thread(path.write_bytes, TEXT)
        async with aiofiles.open(path, "rb") as file:
            await store.put("key", file)
        assert await store.get("key") == TEXT

    async def test_reader_of_another_store(self, store: AsyncBaseStore) -> None:
        other = AsyncDictStore()
        await other.put("theirs", TEXT * 1_000)
        async with other.open_reader("theirs") as reader:
            await store.put("ours", reader)
        assert await store.get("ours") == TEXT * 1_000
        await store.put("streamed", other.stream("theirs"))
        assert await store.get("streamed") == TEXT * 1_000
        async with store.open_reader("ours") as reader:
            await other.put("back", reader)
        assert await other.get("back") == TEXT * 1_000

    async def test_reader_of_itself(self, store: AsyncBaseStore) -> None:
        await store.put("source", TEXT)
        async with store.open_reader("source") as reader:
            await store.put("target", reader)
        async with store.open_reader("source") as reader:
            assert await reader.read(5) == TEXT[:5]
            await store.put("source", reader)
        assert await self.contents(store) == {"source": TEXT[5:], "target": TEXT}


def _bytes_like(kind: str) -> Any:
    if kind == "array":
        return array.array("d", [0.5, -1.0])
    if kind == "words":
        return memoryview(array.array("I", range(100)))
    if kind == "mmap":
        mapped = mmap.mmap(-1, len(TEXT))
        mapped.write(TEXT)
        return mapped
    kinds: dict[str, Callable[[bytes], Any]] = {
        "bytes": bytes,
        "bytearray": bytearray,
        "memoryview": lambda data: memoryview(data)[10:500],
    }
    return kinds[kind](TEXT)


_NOT_BYTES: dict[str, Callable[[], Any]] = {
    "str": lambda: "text",
    "none": lambda: None,
    "int": lambda: 7,
    "object": object,
    "ints": lambda: [1, 2, 3],
    "dict": lambda: {b"key": b"value"},
    "strs": lambda: [b"bytes first, and then", "text"],
    "generator": lambda: (letter for letter in "text"),
    "text-file": lambda: io.StringIO("text"),
    "empty": lambda: io.StringIO(""),
}
