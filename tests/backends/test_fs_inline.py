"""Blocking callers drive every verb in place: nothing ever waits on a loop."""

from __future__ import annotations

import pickle
import threading
from pathlib import Path

from storage import fs
from storage._core import calls
from storage.object import ObjectInfo
from tests.backends.files import FileStore, each_kind


@each_kind
def test_no_verb_suspends(tmp_path: Path, kind: type[FileStore]) -> None:
    store = kind(tmp_path, timeout=60)
    assert store.inline
    threads = threading.active_count()

    async def everything() -> list[ObjectInfo]:
        await store.put("a/b", b"bytes")
        await store.put("a/c", [b"a ", b"stream"])
        async with store.open_writer("a/d") as writer:
            await writer.write(b"x" * 2_000_000)
        async with store.open_reader("a/d") as reader:
            await reader.seek(1_999_999)
            assert await reader.read() == b"x"
        assert b"".join([chunk async for chunk in store.stream("a/d", start=5)]) == b"x" * 1_999_995
        assert await store.get("a/b") == b"bytes"
        assert await store.get_range("a/b", 1, 3) == b"yt"
        assert await store.get_range("a/b", -2) == b"es"
        assert await store.get_ranges("a/b", [(0, 1), (3, None)]) == [b"b", b"es"]
        info = await store.head("a/b")
        await store.copy("a/b", "e", if_absent=True)
        await store.move("e", "f/g")
        await store.put("a/b", b"2", if_match=info.etag)
        assert await store.exists("f/g")
        await store.delete("f/g")
        assert await store.put_many({"m/1": b"1", "m/2": b"2"}) == 2
        assert [item async for item in store.get_many(["m/1", "m/2"])] == [
            ("m/1", b"1"),
            ("m/2", b"2"),
        ]
        assert await store.clear("m/") == 2
        level = await store.list_with_delimiter()
        assert (level.prefixes, level.objects) == (("a/",), ())
        return [info async for info in store.list()]

    assert sorted(info.key for info in calls.drive(everything())) == ["a/b", "a/c", "a/d"]
    assert threading.active_count() == threads


@each_kind
def test_a_store_can_be_pickled(tmp_path: Path, kind: type[FileStore]) -> None:
    store = kind(tmp_path, durable=False, timeout=3)
    calls.drive(store.put("k", b"v"))
    twin = pickle.loads(pickle.dumps(store))
    assert calls.drive(twin.get("k")) == b"v"
    assert repr(twin) == repr(store) == f"{kind.__name__}({str(tmp_path)!r})"


def test_the_blocking_twins(tmp_path: Path) -> None:
    for kind in (fs.FilesystemStore, fs.SafeFilesystemStore, fs.HashdirStore):
        with kind(tmp_path / kind.__name__) as store:
            store.put("a/b", b"v")
            with store.open_writer("a/c") as writer:
                writer.write(b"w")
            with store.open_reader("a/c") as reader:
                assert reader.read() == b"w"
            assert sorted(store.keys()) == ["a/b", "a/c"]
            assert store.root_path == str(tmp_path / kind.__name__)
