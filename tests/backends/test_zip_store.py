"""The zip store's own promises: what is stored, listed, refused and closed."""

from __future__ import annotations

import asyncio
import gc
import os
import pickle
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storage._async.backends.zip import AsyncZipStore
from storage._core.errors import (
    ConfigError,
    InvalidKey,
    NotModified,
    ObjectExists,
    ObjectNotFound,
    PreconditionFailed,
    StoreClosed,
    StoreError,
    StoreNotFound,
)
from storage._core.info import Capability
from storage._core.urls import StoreURL

from .zips import abandon, contents, drive, keys, listed, opened, unpacked

HARD_KEYS = [
    "a",
    "a/b",
    "a//b",
    "A",
    "%41",
    "a b",
    "ä",
    "é",
    "日本/😀",
    "x" * 1024,
    ".",
    "a/./b",
    "..a",
]


def test_round_trip_over_reopenings(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with opened(path) as store:
        for key in HARD_KEYS:
            drive(store.put(key, key.encode() * 50))
        drive(store.put("empty", b""))
        wanted = {key: key.encode() * 50 for key in HARD_KEYS} | {"empty": b""}
        assert contents(store) == wanted
    assert os.listdir(tmp_path) == ["x.zip"]
    assert unpacked(path) == wanted
    with opened(path) as store:
        assert contents(store) == wanted
        drive(store.put("a", b"other"))
        drive(store.delete("A"))
        wanted["a"] = b"other"
        del wanted["A"]
        assert contents(store) == wanted
        abandon(store)
    with opened(path) as store:
        assert contents(store) == wanted  # from the journal that was left
        drive(store.checkpoint())
    assert os.listdir(tmp_path) == ["x.zip"]
    assert unpacked(path) == wanted


def test_every_verb_in_place(tmp_path: Path) -> None:
    """None of them suspends: `drive` would raise."""
    with opened(tmp_path / "x.zip") as store:
        info = drive(store.put("a", b"0123456789"))
        assert drive(store.head("a")) == info
        assert drive(store.exists("a"))
        assert not drive(store.exists("b"))
        assert drive(store.get_range("a", 2, 5)) == b"234"
        assert drive(store.get_ranges("a", [(0, 2), (-3, None)])) == [b"01", b"789"]
        assert b"".join(drive(listed(store.stream("a", start=4)))) == b"456789"
        drive(store.put("stream", iter([b"x" * 300_000, b"y"])))
        assert drive(store.copy("a", "c")).size == 10
        assert drive(store.move("c", "d")).key == "d"
        assert keys(store) == ["a", "d", "stream"]
        assert [info.size for info in drive(listed(store.list()))] == [10, 10, 300_001]
        assert drive(store.list_with_delimiter()).prefixes == ()
        pairs = drive(listed(store.get_many(["a", "d"])))
        assert pairs == [("a", b"0123456789"), ("d", b"0123456789")]
        assert drive(store.put_many({"m1": b"1", "m2": b"2"})) == 2
        assert drive(store.delete_many(["m1", "m2", "m3"])) == 3
        drive(_write_and_read(store))
        drive(store.checkpoint())
        assert drive(store.clear()) == 4
        assert keys(store) == []
    assert unpacked(tmp_path / "x.zip") == {}  # empty, and an archive


async def _write_and_read(store: AsyncZipStore) -> None:
    async with store.open_writer("w") as writer:
        for _ in range(10):
            await writer.write(b"w" * 100_000)
    assert writer.info.size == 1_000_000
    async with store.open_reader("w") as reader:
        assert await reader.read(10) == b"w" * 10
        await reader.seek(999_990)
        assert await reader.read() == b"w" * 10


def test_conditions(tmp_path: Path) -> None:
    with opened(tmp_path / "x.zip") as store:
        first = drive(store.put("a", b"1", if_absent=True))
        with pytest.raises(ObjectExists):
            drive(store.put("a", b"2", if_absent=True))
        with pytest.raises(ObjectExists):
            drive(store.put("a", iter([b"2"]), if_absent=True))
        second = drive(store.put("a", b"1", if_match=first.etag))
        assert second.etag != first.etag  # the same bytes, and yet another object
        with pytest.raises(PreconditionFailed):
            drive(store.put("a", b"3", if_match=first.etag))
        with pytest.raises(PreconditionFailed):
            drive(store.put("new", b"3", if_match=first.etag))
        with pytest.raises(PreconditionFailed):
            drive(store.delete("a", if_match=first.etag))
        with pytest.raises(NotModified):
            drive(store.get("a", if_none_match=second.etag))
        with pytest.raises(PreconditionFailed):
            drive(store.get("a", if_match=first.etag))
        drive(store.put("b", b"b"))
        with pytest.raises(ObjectExists):
            drive(store.copy("a", "b", if_absent=True))
        with pytest.raises(ObjectExists):
            drive(store.copy("a", "a", if_absent=True))
        drive(store.delete("a", if_match=second.etag))
        with pytest.raises(ObjectNotFound):
            drive(store.delete("a", missing_ok=True, if_match=second.etag))
        drive(store.delete("a", missing_ok=True))
        for verb in (store.get, store.head, store.delete):
            with pytest.raises(ObjectNotFound):
                drive(verb("a"))
        assert contents(store) == {"b": b"b"}


def test_info_survives_checkpoints_and_copies(tmp_path: Path) -> None:
    path, before = tmp_path / "x.zip", datetime.now(UTC)
    with opened(path) as store:
        info = drive(store.put("a", b"data", content_type="text/x", metadata={"k": "ö", "": "1"}))
        other = drive(store.put("b", b"data"))
    with opened(path) as store:
        assert drive(store.head("a")) == info
        assert drive(listed(store.list())) == [info, other]
        copy = drive(store.copy("a", "c"))
    assert info.content_type == "text/x"
    assert info.metadata == {"k": "ö", "": "1"}
    assert info.checksum == "crc32:adf3f363"
    assert info.modified is not None
    assert before - timedelta(seconds=1) < info.modified < datetime.now(UTC)
    assert (other.content_type, other.metadata) == (None, {})
    assert (copy.content_type, copy.metadata) == (info.content_type, info.metadata)
    assert len({info.etag, other.etag, copy.etag}) == 3
    with opened(path) as store, pytest.raises(ConfigError):
        drive(store.put("a", b"", metadata={"k": "x" * 40_000}))


@pytest.mark.parametrize("compression", ["deflate", "store"])
@pytest.mark.parametrize("kind", ["zeros", "noise"])
def test_streams_and_ranges(tmp_path: Path, compression: str, kind: str) -> None:
    size = 3_000_000
    data = bytes(size) if kind == "zeros" else os.urandom(size)
    bounds = [(0, None), (0, 1), (1, size), (size - 1, None), (size, None), (-5, None), (7, 7)]
    bounds += [(262_143, 262_145), (1_000_000, 2_500_000), (size - 10, size + 10)]
    with opened(tmp_path / "x.zip", compression=compression) as store:
        drive(store.put("whole", data))
        drive(store.put("stream", (data[at : at + 70_001] for at in range(0, size, 70_001))))
        for _ in range(2):
            for key in ("whole", "stream"):
                assert drive(store.get(key)) == data
                for start, end in bounds:
                    assert drive(store.get_range(key, start, end)) == data[start:end]
                    parts = drive(listed(store.stream(key, start=start, end=end)))
                    assert b"".join(parts) == data[start:end]
            drive(store.checkpoint())
    packed = (tmp_path / "x.zip").stat().st_size
    assert (packed < 100_000) == (compression == "deflate" and kind == "zeros")


def test_order_prefix_and_start(tmp_path: Path) -> None:
    names = ["\U0001f600", "z", "a/b", "a", "a b", "Z", "\uffee", "ä", "ab", "a/b/c"]
    with opened(tmp_path / "x.zip") as store:
        for name in names:
            drive(store.put(name, b""))
        ordered = sorted(names, key=str.encode)
        assert Capability.ORDERED in store.capabilities
        assert keys(store) == ordered
        for prefix in ("", "a", "a/", "a/b", "zz", "\ud800"):
            for after in ("", "a", "a/b", "a/bb", "\uffff", "\U0010ffff"):
                wanted = [key for key in ordered if key.startswith(prefix) and key > after]
                assert keys(store, prefix, after) == wanted
                infos = drive(listed(store.list(prefix, start_after=after)))
                assert [info.key for info in infos] == wanted


OUTSIDE = ["../x", "a/../../x", "..", "a/..", "/x", "//x", "\\x", "..\\x", "a\\..\\x", "C:x"]


@pytest.mark.parametrize("key", [*OUTSIDE, "c:\\x", "a\n/../x", "a/..\\x", "x/"])
def test_keys_that_unpacking_would_misplace(tmp_path: Path, key: str) -> None:
    store = AsyncZipStore(tmp_path / "x.zip")
    works = (store.put(key, b""), store.put(key, iter([b""])), store.copy("a", key), store.get(key))
    for work in (*works, store.exists(key), store.delete(key, missing_ok=True), store.head(key)):
        with pytest.raises(InvalidKey):
            drive(work)
    assert os.listdir(tmp_path) == []  # refused before any file is touched


def test_a_missing_archive_is_not_an_empty_one(tmp_path: Path) -> None:
    store = AsyncZipStore(tmp_path / "x.zip")
    for work in (store.get("a"), store.head("a"), store.exists("a"), store.copy("a", "b")):
        with pytest.raises(StoreNotFound):
            drive(work)
    for listing in (store.keys(), store.list(), store.stream("a")):
        with pytest.raises(StoreNotFound):
            drive(listed(listing))
    drive(store.delete("a", missing_ok=True))
    with pytest.raises(ObjectNotFound):
        drive(store.delete("a"))
    with pytest.raises(PreconditionFailed):
        drive(store.put("a", b"", if_match="x"))
    drive(store.aclose())
    assert os.listdir(tmp_path) == []
    (tmp_path / "file").touch()
    store = AsyncZipStore(tmp_path / "file" / "x.zip")
    with pytest.raises(StoreNotFound):
        drive(store.get("a"))
    with pytest.raises(StoreError):
        drive(store.put("a", b""))


@pytest.mark.parametrize("streamed", [False, True])
def test_the_first_write_makes_directories(tmp_path: Path, streamed: bool) -> None:
    data = os.urandom(2_000_000)
    with opened(tmp_path / "a" / "b" / "x.zip", durable=True) as store:
        with pytest.raises(StoreNotFound):
            drive(store.get("a"))
        drive(store.put("a", iter([data]) if streamed else data))
    assert unpacked(tmp_path / "a" / "b" / "x.zip") == {"a": data}


def test_a_path_that_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "dir").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("dir", "pipe"):
        store = AsyncZipStore(tmp_path / name)
        for work in (store.get("a"), store.put("a", b"")):
            with pytest.raises(ConfigError, match="not a file"):
                drive(work)
    assert sorted(os.listdir(tmp_path)) == ["dir", "pipe"]


def test_arguments(tmp_path: Path) -> None:
    for path, options in (
        ("", {}),
        (b"x", {}),
        ("x", {"compression": "rar"}),
        ("x", {"timeout": 0}),
    ):
        with pytest.raises(ConfigError):
            AsyncZipStore(path, **options)  # type: ignore[arg-type]


def test_url() -> None:
    url = StoreURL.parse("zip:///tmp/a%20b/x.zip?compression=store&durable=true&max_ratio=9")
    store = AsyncZipStore.from_url(url)
    url.finish()
    assert repr(store) == "AsyncZipStore('/tmp/a b/x.zip')"
    assert store._arguments["compression"] == "store"
    assert store._arguments["durable"] is True
    assert store._arguments["max_ratio"] == 9
    assert repr(AsyncZipStore.from_url(StoreURL.parse("zip://x.zip"))) == "AsyncZipStore('x.zip')"
    relative = AsyncZipStore.from_url(StoreURL.parse("zip://Dir/x.zip?timeout=2"))
    assert repr(relative) == "AsyncZipStore('Dir/x.zip')"
    for text in ("zip://", "zip://user@dir/x.zip", "zip://x.zip?compression=rar"):
        with pytest.raises(ConfigError):
            AsyncZipStore.from_url(StoreURL.parse(text))


def test_pickle(tmp_path: Path) -> None:
    with opened(tmp_path / "x.zip", compression="store", max_ratio=7) as store:
        drive(store.put("a", b"1"))
        other = pickle.loads(pickle.dumps(store))
        assert drive(other.get("a")) == b"1"
        assert other._arguments == store._arguments


def test_a_link_is_followed_and_stays(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "x.zip").symlink_to(tmp_path / "real" / "y.zip")
    with opened(tmp_path / "x.zip") as store:
        drive(store.put("a", b"1"))
        assert os.listdir(tmp_path / "real") == ["y.zip-journal"]
    assert (tmp_path / "x.zip").is_symlink()
    assert unpacked(tmp_path / "real" / "y.zip") == {"a": b"1"}


def test_permissions_stay(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with opened(path) as store:
        drive(store.put("a", b"1"))
    path.chmod(0o600)
    with opened(path) as store:
        drive(store.put("b", b"1"))
        assert (tmp_path / "x.zip-journal").stat().st_mode & 0o777 == 0o600
    assert path.stat().st_mode & 0o777 == 0o600


def test_closing(tmp_path: Path) -> None:
    store = AsyncZipStore(tmp_path / "x.zip")
    drive(store.put("a", b"1"))
    drive(store.aclose())
    drive(store.aclose())
    for work in (store.get("a"), store.put("a", b""), store.checkpoint()):
        with pytest.raises(StoreClosed):
            drive(work)


def test_an_unclosed_store_warns_and_keeps_all(tmp_path: Path) -> None:
    store = AsyncZipStore(tmp_path / "x.zip")
    drive(store.put("a", b"1"))
    with pytest.warns(ResourceWarning, match="its last changes are in its journal"):  # noqa: PT031
        del store
        gc.collect()
    with opened(tmp_path / "x.zip") as store:
        assert contents(store) == {"a": b"1"}
        drive(store.checkpoint())


async def test_several_loops(tmp_path: Path) -> None:
    store = AsyncZipStore(tmp_path / "x.zip")
    await asyncio.gather(*(store.put(f"k{n}", b"%d" % n) for n in range(100)))

    def elsewhere() -> list[bytes]:
        async def read() -> list[bytes]:
            return await asyncio.gather(*(store.get(f"k{n}") for n in range(100)))

        return asyncio.run(read())

    wanted = [b"%d" % n for n in range(100)]
    loops = (asyncio.to_thread(elsewhere) for _ in range(3))
    for found in await asyncio.gather(*loops):
        assert found == wanted
    await store.aclose()
    assert len(unpacked(tmp_path / "x.zip")) == 100
