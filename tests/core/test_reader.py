"""Objects as blocking files to read, of stores that run in place and of those of the loop."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile

import pytest

from storage.object import (
    ObjectNotFound,
    PreconditionFailed,
)
from tests.core.stores import PIECE, LoopPieces, Pieces

TEXT = b"first\nsecond\n\nlast, without an end"


@pytest.fixture(params=[Pieces, LoopPieces])
def store(request: pytest.FixtureRequest) -> Pieces:
    made: Pieces = request.param()
    made.put("text", TEXT)
    made._async.events.clear()
    return made


def test_a_reader_is_a_binary_file(store: Pieces) -> None:
    with store.open_reader("text") as file:
        assert isinstance(file, io.RawIOBase)
        assert (file.readable(), file.writable(), file.seekable()) == (True, False, True)
        assert (file.mode, file.isatty(), file.closed) == ("rb", False, False)
        assert file.info.size == len(TEXT)
        assert file.read() == TEXT
        assert file.read() == b""
        with pytest.raises(io.UnsupportedOperation):
            file.fileno()
    assert file.closed
    assert store._async.events == ["open", "close"]


def test_an_open_reader_needs_no_block(store: Pieces) -> None:
    file = store.open_reader("text")
    assert file.read(5) == b"first"
    file.close()
    file.close()
    for use in (file.read, file.tell, file.readline, lambda: file.seek(0), lambda: file.info):
        with pytest.raises(ValueError, match="closed"):
            use()
    with pytest.raises(ValueError, match="closed"), file:
        pass


def test_a_missing_object_is_told_at_once(store: Pieces) -> None:
    with pytest.raises(ObjectNotFound):
        store.open_reader("nothing")


@pytest.mark.parametrize("size", [1, 3, PIECE, 7, len(TEXT), len(TEXT) + 1])
def test_read_gives_exactly_what_is_asked_for(store: Pieces, size: int) -> None:
    with store.open_reader("text") as file:
        parts = list(iter(lambda: file.read(size), b""))
        assert file.tell() == len(TEXT)
    assert b"".join(parts) == TEXT
    assert {len(part) for part in parts[:-1]} <= {size}
    assert file.closed


def test_large_reads_cross_once(store: Pieces) -> None:
    data = os.urandom(300_000)
    store.put("large", data)
    with store.open_reader("large") as file:
        assert file.read(3) == data[:3]
        assert file.read(270_000) == data[3:270_003]
        assert file.tell() == 270_003
        assert file.read(10) == data[270_003:270_013]
        assert file.readall() == data[270_013:]
        file.seek(-5, os.SEEK_END)
        assert file.read(10**9) == data[-5:]


def test_reading_works_as_in_a_file(store: Pieces) -> None:
    """Random seeks and reads, compared with a file in memory."""
    twin = io.BytesIO(TEXT)
    with store.open_reader("text") as file:
        for step in range(200):
            offset = step * 7919 % (len(TEXT) + 5)
            size = step * 104729 % 11
            match step % 5:
                case 0:
                    assert file.seek(offset) == twin.seek(offset)
                case 1:
                    move = -min(twin.tell(), 3)
                    assert file.seek(move, os.SEEK_CUR) == twin.seek(move, os.SEEK_CUR)
                case 2:
                    end = -min(offset, len(TEXT))
                    assert file.seek(end, os.SEEK_END) == twin.seek(end, os.SEEK_END)
                case 3:
                    assert file.readline(size) == twin.readline(size)
            assert file.read(size) == twin.read(size)
            assert file.tell() == twin.tell()


def test_seeks_are_checked(store: Pieces) -> None:
    with store.open_reader("text") as file:
        with pytest.raises(OSError, match="negative"):
            file.seek(-1)
        with pytest.raises(ValueError, match="whence"):
            file.seek(0, 7)
        assert file.tell() == 0


def test_a_seek_that_is_taken_back_reads_nothing_again(store: Pieces) -> None:
    with store.open_reader("text") as file:
        assert file.read(2) == TEXT[:2]
        file.seek(0, os.SEEK_END)
        file.seek(1)
        assert file.read(3) == TEXT[1:4]
    assert store._async.events == ["open", "close"]
    assert store._async.fetched == [TEXT[:PIECE]]


def test_a_seek_reads_on_in_the_same_version(store: Pieces) -> None:
    with store.open_reader("text") as file:
        assert file.read(2) == TEXT[:2]
        store.put("text", b"other")
        file.seek(20)
        with pytest.raises(PreconditionFailed):
            file.read(1)


def test_lines_are_those_of_a_file(store: Pieces) -> None:
    with store.open_reader("text") as file:
        assert list(file) == TEXT.splitlines(keepends=True)
        file.seek(0)
        assert file.readlines() == TEXT.splitlines(keepends=True)
        file.seek(0)
        assert [file.readline(3), file.readline(-1), file.readline(None)] == [
            b"fir",
            b"st\n",
            b"second\n",
        ]


def test_chunks_are_those_of_the_store(store: Pieces) -> None:
    with store.open_reader("text") as file:
        assert list(file.chunks()) == [TEXT[at : at + PIECE] for at in range(0, len(TEXT), PIECE)]
        file.seek(-3, os.SEEK_END)
        assert list(file.chunks()) == [TEXT[-3:]]


def test_readinto_fills_what_is_there(store: Pieces) -> None:
    with store.open_reader("text") as file:
        buffer = bytearray(b"." * 6)
        assert file.readinto(buffer) == PIECE
        assert bytes(buffer) == TEXT[:PIECE] + b".."
        assert file.readinto(bytearray()) == 0
        file.seek(0, os.SEEK_END)
        assert file.readinto(buffer) == 0


def test_buffers_and_text_may_wrap_a_reader(store: Pieces) -> None:
    with io.BufferedReader(store.open_reader("text"), 5) as buffered:
        assert buffered.peek(1)[:1] == b"f"
        assert buffered.read(8) == TEXT[:8]
        buffered.seek(6)
        assert buffered.readline() == b"second\n"
    with io.TextIOWrapper(io.BufferedReader(store.open_reader("text")), "ascii") as text:
        assert [line.strip() for line in text] == TEXT.decode().split("\n")
    assert store._async.events == ["open", "close"] * 2


def test_archives_are_read_and_written_in_place(store: Pieces) -> None:
    with store.open_writer("a.zip") as file, zipfile.ZipFile(file, "w") as archive:
        archive.writestr("one", "1" * 1000)
        archive.writestr("two", b"2")
    with store.open_reader("a.zip") as source, zipfile.ZipFile(source) as archive:
        assert archive.testzip() is None
        assert archive.read("two") == b"2"
    with store.open_writer("a.tar") as file, tarfile.open(fileobj=file, mode="w") as tar:
        member = tarfile.TarInfo("one")
        member.size = 3
        tar.addfile(member, io.BytesIO(b"abc"))
    with store.open_reader("a.tar") as source, tarfile.open(fileobj=source) as tar:
        found = tar.extractfile("one")
        assert found is not None
        assert found.read() == b"abc"


def test_a_reader_is_a_value_to_put(store: Pieces) -> None:
    other = LoopPieces()
    with store.open_reader("text") as file:
        assert other.put("copy", file).size == len(TEXT)
    with store.open_reader("text") as file:
        assert store.put("copy", file).size == len(TEXT)
    assert (store.get("copy"), other.get("copy")) == (TEXT, TEXT)
