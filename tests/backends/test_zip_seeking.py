"""Ranges of deflated members, which go on where others have ended."""

from __future__ import annotations

import gc
import io
import random
import shutil
import threading
import tracemalloc
import weakref
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from storage._async.backends._zip import files, seeking
from storage._core.errors import CorruptStore
from storage.zip import ZipStore

from .zips import make

SIZE = 4_000_000
WORDS = [b"%d " % number for number in range(1000)]


@pytest.fixture(scope="module")
def data() -> bytes:
    """A text."""
    return b"".join(random.Random(5).choices(WORDS, k=SIZE // 4))[:SIZE].ljust(SIZE)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> Path:
    """An archive for all tests; who changes it takes a copy."""
    path = tmp_path_factory.mktemp("seeking") / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("a", data)
        archive.writestr("b", data[::-1])
    return path


@pytest.fixture
def path(tmp_path: Path, archive: Path) -> Path:
    """Such a copy."""
    shutil.copy(archive, tmp_path / "x.zip")
    return tmp_path / "x.zip"


@pytest.fixture
def packed_reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of what is read of members."""
    found: list[int] = []
    real = seeking.read_pieces  # type: ignore[attr-defined]

    def counting(*arguments: Any) -> Iterator[bytes]:
        for piece in real(*arguments):
            found.append(len(piece))
            yield piece

    monkeypatch.setattr(seeking, "read_pieces", counting)
    monkeypatch.setattr(files, "CHUNK", 16 * 1024)
    seeking._recent.clear()
    return found


def test_ranges_one_after_the_other(path: Path, data: bytes, packed_reads: list[int]) -> None:
    """Cost what the whole costs, and not half of it each."""
    step = SIZE // 50
    with ZipStore(path) as store:
        parts = [store.get_range("a", at, at + step) for at in range(0, SIZE, step)]
    assert b"".join(parts) == data
    packed = path.stat().st_size // 2
    assert packed < sum(packed_reads) < 2.5 * packed


def test_ranges_here_and_there(path: Path, data: bytes, packed_reads: list[int]) -> None:
    chance = random.Random(1)
    with ZipStore(path) as store:
        assert store.get_range("a", SIZE - 5) == data[-5:]  # comes by all places
        packed_reads.clear()
        for _ in range(60):
            start = chance.randrange(SIZE)
            assert store.get_range("a", start, start + 50) == data[start : start + 50]
        packed = path.stat().st_size // 2
        assert sum(packed_reads) < 60 * packed / 6


def test_a_file_that_jumps(archive: Path, data: bytes) -> None:
    with ZipStore(archive) as store, store.open_reader("a") as reader:
        other = io.BytesIO(data)
        chance = random.Random(2)
        for _ in range(40):
            place, size = chance.randrange(SIZE + 10), chance.randrange(100_000)
            assert reader.seek(place) == other.seek(place)
            assert reader.read(size) == other.read(size)


def test_an_archive_in_an_archive(tmp_path: Path, data: bytes) -> None:
    """Which is read by jumping about in it."""
    with zipfile.ZipFile(tmp_path / "inner.zip", "w", zipfile.ZIP_STORED) as inner:
        for number in range(20):
            inner.writestr(f"{number}", data[number * 50_000 :][:100_000])
    make(tmp_path / "x.zip", {"inner.zip": (tmp_path / "inner.zip").read_bytes()})
    with (
        ZipStore(tmp_path / "x.zip") as store,
        store.open_reader("inner.zip") as reader,
        zipfile.ZipFile(reader) as inner,
    ):
        for number in reversed(range(20)):
            assert inner.read(f"{number}") == data[number * 50_000 :][:100_000]


def test_threads_in_one_member(path: Path, data: bytes) -> None:
    failures: list[object] = []
    with ZipStore(path) as store:

        def read(seed: int) -> None:
            chance = random.Random(seed)
            for _ in range(12):
                key, whole = chance.choice([("a", data), ("b", data[::-1])])
                start = chance.randrange(SIZE)
                if store.get_range(key, start, start + 3000) != whole[start : start + 3000]:
                    failures.append((key, start))

        threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not failures


def test_places_take_bounded_memory(tmp_path: Path) -> None:
    count, piece = 12, bytes(1_500_000)
    make(tmp_path / "x.zip", {f"k{n}": piece for n in range(count)})
    with ZipStore(tmp_path / "x.zip") as store:
        store.get_range("k0", 5)
        tracemalloc.start()
        for number in range(count):
            store.get_range(f"k{number}", 1_400_000, 1_400_001)
        found = [store._async._volume.find(f"k{number}").places for number in range(count)]
        assert tracemalloc.get_traced_memory()[0] < 4_000_000
        tracemalloc.stop()
    assert sum(places is not None for places in found) == seeking.MEMBERS
    assert max(len(places or ()) for places in found) <= seeking.PLACES + 1


def test_places_go_with_the_archive(path: Path) -> None:
    with ZipStore(path) as store:
        store.get_range("a", 2_000_000, 2_000_001)
        entry = weakref.ref(store._async._volume.find("a"))
        make(path.with_name("y.zip"), {"a": b"new"})
        path.with_name("y.zip").replace(path)
        assert store.get_range("a", 0, 2) == b"ne"
        gc.collect()
        assert entry() is None


def test_damage_is_noticed_where_it_is(path: Path, data: bytes) -> None:
    content = bytearray(path.read_bytes())
    middle = len(content) // 4
    content[middle : middle + 90_000] = b"\xff" * 90_000
    path.write_bytes(content)
    with ZipStore(path) as store:
        assert store.get_range("a", 1000, 2000) == data[1000:2000]
        for _ in range(2):
            with pytest.raises(CorruptStore):
                store.get_range("a", SIZE - 10, SIZE)
        assert store.get_range("a", 700_000, 700_010) == data[700_000:700_010]
