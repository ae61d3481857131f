"""What can be put, and in which pieces it arrives."""

from __future__ import annotations

import array
import io
import mmap
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiofiles
import pytest

from storage._core.values import as_buffer, chunks_of

TEXT = b"some bytes"


async def collect(data: Any) -> bytes:
    return b"".join([bytes(chunk) async for chunk in chunks_of(data)])


@pytest.mark.parametrize(
    "data", [TEXT, bytearray(TEXT), memoryview(TEXT), array.array("b", TEXT)], ids=type
)
def test_whatever_has_a_buffer_is_one(data: Any) -> None:
    buffer = as_buffer(data)
    assert buffer is not None
    assert bytes(buffer) == TEXT


def test_items_of_a_buffer_are_counted_in_bytes() -> None:
    buffer = as_buffer(array.array("I", [1, 2]))
    assert buffer is not None
    assert len(buffer) == 2 * array.array("I").itemsize


def test_a_mapped_file_is_a_buffer() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(TEXT)
        file.flush()
        with mmap.mmap(file.fileno(), 0) as mapped:
            buffer = as_buffer(mapped)
            assert isinstance(buffer, memoryview)
            assert bytes(buffer) == TEXT
            buffer.release()


@pytest.mark.parametrize("data", ["text", 7, None, {"a": b"b"}, 1.5], ids=repr)
def test_anything_else_is_refused(data: Any) -> None:
    with pytest.raises(TypeError):
        as_buffer(data)


@pytest.mark.parametrize("chunk", ["text", 7, [b"x"]], ids=repr)
async def test_a_stream_of_anything_else_is_refused(chunk: Any) -> None:
    with pytest.raises(TypeError):
        await collect(iter([b"first", chunk]))


async def test_a_file_of_text_is_refused() -> None:
    with pytest.raises(TypeError):
        await collect(io.StringIO("text"))
    with pytest.raises(TypeError):
        await collect(io.StringIO(""))


async def test_every_kind_of_stream_is_read_to_its_end(tmp_path: Path) -> None:
    async def async_chunks() -> AsyncIterator[bytes]:
        yield TEXT[:3]
        yield b""
        yield TEXT[3:]

    path = tmp_path / "file"
    path.write_bytes(TEXT)
    assert await collect(async_chunks()) == TEXT
    assert await collect([TEXT[:3], TEXT[3:]]) == TEXT
    assert await collect(TEXT[i : i + 1] for i in range(len(TEXT))) == TEXT
    assert await collect(io.BytesIO(TEXT)) == TEXT
    with path.open("rb") as file:
        assert await collect(file) == TEXT
    async with aiofiles.open(path, "rb") as async_file:
        assert await collect(async_file) == TEXT


async def test_a_generator_is_closed_when_reading_ends_early() -> None:
    closed = []

    def chunks() -> Iterator[bytes]:
        try:
            while True:
                yield bytes(300_000)
        finally:
            closed.append(1)

    stream = chunks_of(chunks())
    await anext(stream)
    await stream.aclose()
    assert closed == [1]


async def test_the_error_of_a_stream_passes_through() -> None:
    def chunks() -> Iterator[bytes]:
        yield b"x"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await collect(chunks())
