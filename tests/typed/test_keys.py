"""Which object a key means, and what it costs to find out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from storage.object import Capability, InvalidKey, ObjectInfo, ObjectNotFound
from storage.typed import AsyncAutoStore, AutoStore, StorageFileNotFoundError
from tests.typed.counting import CountingStore


@pytest.fixture
def objects() -> CountingStore:
    return CountingStore()


@pytest.fixture
def store(objects: CountingStore) -> AsyncAutoStore:
    return AsyncAutoStore(objects)


async def keys(store: AsyncAutoStore) -> list[str]:
    return sorted([key async for key in store.keys()])


@pytest.mark.parametrize(
    ("value", "extension"),
    [
        ({"a": 1}, ".json"),
        ("text", ".json"),
        (None, ".json"),
        (3.5, ".json"),
        ([1, 2], ".json"),
        (b"bytes", ".bin"),
    ],
)
async def test_the_type_decides_where_a_key_has_no_extension(
    store: AsyncAutoStore, value: Any, extension: str
) -> None:
    assert await store.write("a/value", value) == f"a/value{extension}"
    assert await keys(store) == [f"a/value{extension}"]
    for key in ("a/value", f"a/value{extension}"):
        assert await store.read(key) == value
        assert await store.exists(key)
        assert (await store.get_metadata(key)).extra["key"] == f"a/value{extension}"
    await store.delete("a/value")
    assert await keys(store) == []


async def test_the_extension_decides_where_there_is_one(
    store: AsyncAutoStore, objects: CountingStore
) -> None:
    for key in ("t.txt", "j.json", "y.yaml", "l.jsonl"):
        value = ["hello"] if key == "l.jsonl" else "hello"
        assert await store.write(key, value) == key
        assert await store.read(key) == value
    assert await objects.get("t.txt") == b"hello"
    assert await objects.get("j.json") == b'"hello"'
    assert await objects.get("l.jsonl") == b'"hello"\n'


async def test_a_form_refuses_what_it_cannot_hold(
    store: AsyncAutoStore, objects: CountingStore
) -> None:
    with pytest.raises(TypeError):
        await store.write("t.txt", {"a": 1})
    assert await keys(store) == []
    assert not objects.asked["put"]


async def test_dots_that_say_nothing_belong_to_the_name(store: AsyncAutoStore) -> None:
    await store.write("v1.2", {"version": 2})
    await store.write("v1.3", {"version": 3})
    assert await keys(store) == ["v1.2.json", "v1.3.json"]
    assert await store.read("v1.2") == {"version": 2}
    assert not await store.exists("v1")
    with pytest.raises(ObjectNotFound):
        await store.read("v1")


async def test_an_object_beside_others_below_it(store: AsyncAutoStore) -> None:
    await store.write("a", [1])
    await store.write("a/b", [2])
    await store.write("ab", [3])
    assert [await store.read(key) for key in ("a", "a/b", "ab")] == [[1], [2], [3]]


async def test_missing_is_one_error_by_all_its_names(store: AsyncAutoStore) -> None:
    for key in ("none", "none.json", "none/"):
        with pytest.raises(StorageFileNotFoundError) as caught:
            await store.read(key)
        assert isinstance(caught.value, KeyError)
        assert isinstance(caught.value, ObjectNotFound)
        with pytest.raises(KeyError):
            await store.delete(key)
        await store.delete(key, missing_ok=True)
        assert not await store.exists(key)
        assert await store.find_file_fuzzy(key) is None


async def test_to_find_an_object_takes_one_listing(
    store: AsyncAutoStore, objects: CountingStore
) -> None:
    await store.write("config", {"a": 1})
    objects.asked.clear()
    await store.read("config")
    assert objects.asked == {"list": 1, "get": 1}
    objects.asked.clear()
    assert not await store.exists("nothing")
    assert await store.exists("config")
    assert objects.asked == {"list": 2}
    objects.asked.clear()
    await store.read("config.json")
    assert objects.asked == {"get": 1}
    objects.asked.clear()
    await store.write("config", {"a": 2})
    assert objects.asked == {"list": 1, "put": 1}
    objects.asked.clear()
    await store.write("config.json", {"a": 3})
    assert objects.asked == {"put": 1}


async def test_the_listing_is_bounded(store: AsyncAutoStore, objects: CountingStore) -> None:
    async def many() -> AsyncIterator[tuple[str, bytes]]:
        for number in range(1500):
            yield f"v1.{number:04}.json", b"{}"

    await objects.put_many(many())
    await store.write("v1.yaml", {"found": "behind them all"})
    objects.asked.clear()
    assert await store.read("v1") == {"found": "behind them all"}
    assert objects.asked["list"] == 1
    assert objects.asked["get"] == 1
    # Each extension that is known was asked for, once.
    assert 5 < objects.asked["head"] < 60


async def test_a_value_of_another_type_replaces_the_object(
    store: AsyncAutoStore, objects: CountingStore
) -> None:
    await store.write("df", {"a": 1})
    objects.events.clear()
    await store.write("df", b"12")
    assert objects.events == ["list df.", "put df.bin", "delete df.json"]
    assert await keys(store) == ["df.bin"]
    assert await store.read("df") == b"12"


async def test_a_failed_write_leaves_the_old_object(
    store: AsyncAutoStore, objects: CountingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.write("df", {"a": 1})

    async def fail(*_: object) -> Any:
        raise ConnectionError("gone")

    monkeypatch.setattr(objects, "_put", fail)
    with pytest.raises(ConnectionError):
        await store.write("df", b"12")
    assert await store.read("df") == {"a": 1}


@pytest.mark.parametrize("conditional", [True, False])
async def test_what_somebody_has_written_meanwhile_stays(
    store: AsyncAutoStore,
    objects: CountingStore,
    monkeypatch: pytest.MonkeyPatch,
    conditional: bool,
) -> None:
    if not conditional:
        less = objects.capabilities & ~Capability.DELETE_IF_MATCH
        monkeypatch.setattr(objects, "capabilities", less)
    await store.write("df", {"a": 1})
    put = objects._put

    async def interrupted(key: str, *rest: Any) -> Any:
        if key == "df.bin":
            await put("df.json", b'{"a": 2}', *rest[1:])
        return await put(key, *rest)

    monkeypatch.setattr(objects, "_put", interrupted)
    await store.write("df", b"12")
    assert await objects.get("df.json") == b'{"a": 2}'


async def test_writers_of_two_types_leave_one_object_at_least(store: AsyncAutoStore) -> None:
    for _ in range(10):
        await asyncio.gather(store.write("df", {"a": 1}), store.write("df", b"12"))
        assert await store.read("df") in ({"a": 1}, b"12")


async def test_of_two_the_newest_is_meant_and_none_is_removed(store: AsyncAutoStore) -> None:
    await store.write("report.html", "<p>")
    await store.write("report.txt", "plain")
    assert await store.read("report") == "plain"
    await store.write("report", {"a": 1})
    assert await keys(store) == ["report.html", "report.json", "report.txt"]
    assert await store.read("report") == {"a": 1}
    with pytest.raises(InvalidKey, match="html"):
        await store.delete("report")
    await store.delete("report.html")
    await store.delete("report.txt")
    await store.delete("report")
    assert await keys(store) == []


async def test_where_times_do_not_tell_what_was_written_here_is_meant() -> None:
    class Timeless(CountingStore):
        async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
            async for info in super()._list(prefix, start_after):
                yield replace(info, modified=None)

    store = AsyncAutoStore(Timeless())
    values = {".html": "<p>", ".json": {"a": 1}, ".bin": b"12"}
    for extension, value in values.items():
        await store.write(f"report{extension}", value)
        assert await store.read("report") == value
    for value in ({"a": 2}, b"34", {"a": 3}):
        await store.write("report", value)
        assert await store.read("report") == value
    await store.copy("report.html", "report")
    assert await store.read("report") == "<p>"
    again = AsyncAutoStore(store._store)
    assert await again.read("report") == {"a": 3}


async def test_options_at_the_end_of_a_key(store: AsyncAutoStore, objects: CountingStore) -> None:
    assert await store.write("a?format=yaml", {"a": 1}) == "a.yaml"
    assert await objects.get("a.yaml") == b"a: 1\n"
    await objects.put("b.what", b'{"b": 2}')
    assert await store.read("b.what?format=json&ignore_cache") == {"b": 2}
    assert await store.write("who?", 1) == "who?.json"
    assert await store.write("a?b=c", 2) == "a?b=c.json"
    assert [await store.read(key) for key in ("who?", "a?b=c")] == [1, 2]


async def test_another_form_than_the_key_says(
    store: AsyncAutoStore, objects: CountingStore
) -> None:
    assert await store.write("a.txt", {"a": 1}, format="json") == "a.txt"
    assert await store.read("a.txt", format="json") == {"a": 1}
    assert await store.write("b.what", {"a": 1}, format=".yaml") == "b.what.yaml"
    assert await store.read("b.what", format="yaml") == {"a": 1}


async def test_copies_take_the_extension_along(store: AsyncAutoStore) -> None:
    await store.write("original", {"a": 1})
    assert await store.copy("original", "backup") == "backup.json"
    assert await store.copy("original", "other.yaml") == "other.yaml"
    assert await store.read("other") == {"a": 1}
    assert await store.move("original", "permanent") == "permanent.json"
    assert await keys(store) == ["backup.json", "other.yaml", "permanent.json"]
    await store.write("old", b"12")
    assert await store.move("backup", "old") == "old.json"
    assert await keys(store) == ["old.json", "other.yaml", "permanent.json"]
    assert await store.move("old", "old.json") == "old.json"
    assert await store.read("old") == {"a": 1}
    with pytest.raises(ObjectNotFound):
        await store.copy("nothing", "else")


async def test_only_values_are_listed(store: AsyncAutoStore, objects: CountingStore) -> None:
    await objects.put("README", b"not a value")
    await objects.put("v1.2", b"neither")
    for key in ("a", "logs/b", "logs/deep/c"):
        await store.write(key, {})
    await store.write("logs/d.txt", "text")
    assert await keys(store) == ["a.json", "logs/b.json", "logs/d.txt", "logs/deep/c.json"]
    assert await store.count() == 4

    async def listed(*arguments: Any) -> list[str]:
        return sorted([key async for key in store.list_files(*arguments)])

    assert await listed("*.txt") == ["logs/d.txt"]
    assert await listed("logs/*.json", False) == ["logs/b.json"]
    assert await listed("logs/**") == ["logs/b.json", "logs/d.txt", "logs/deep/c.json"]
    assert await listed("*", False) == ["a.json"]


async def test_a_set_of_parts(store: AsyncAutoStore) -> None:
    key = await store.write("events/", [[{"a": 1}], [{"a": 2}, {"a": 3}]], format="jsonl")
    assert key == "events/"
    assert await store.read("events/") == [{"a": 1}, {"a": 2}, {"a": 3}]
    assert await store.read("events", format="jsonl") == [{"a": 1}, {"a": 2}, {"a": 3}]
    assert [row async for row in store.read_pieces("events/")] == [{"a": 1}, {"a": 2}, {"a": 3}]
    assert await store.exists("events/")
    await store.write("events/", [[9]])
    assert await store.read("events/") == [9]
    assert await store.count() == 1
    await store.delete("events/")
    assert not await store.exists("events/")


async def test_sets_are_copied_and_moved(store: AsyncAutoStore) -> None:
    await store.write("a/", [[1], [2]])
    assert await store.copy("a/", "b/") == "b/"
    assert await store.move("a/", "c/") == "c/"
    assert not await store.exists("a/")
    assert await store.read("b/") == await store.read("c/") == [1, 2]
    assert await store.move("c/", "c/") == "c/"
    assert await store.read("c/") == [1, 2]
    for source, target in (("b/", "x"), ("x", "b/")):
        with pytest.raises(InvalidKey):
            await store.copy(source, target)


async def test_a_set_is_made_of_values_that_are_told_apart(
    store: AsyncAutoStore, objects: CountingStore
) -> None:
    for value in ({"a": 1}, "text", 3):
        with pytest.raises(TypeError, match="list"):
            await store.write("a/", value)
    await store.write("a/", [[1], [2]])
    objects.asked.clear()
    with pytest.raises(NotImplementedError):
        await store.write("a/", [[3], object()])
    assert await store.read("a/") == [1, 2]
    assert objects.asked["put"] == objects.asked["delete"] == 1
    await store.write("a/", iter([[5]]))
    assert await store.read("a/") == [5]


@pytest.mark.parametrize("key", ["", "a\0b", 3, None])
async def test_what_is_no_key(store: AsyncAutoStore, key: Any) -> None:
    for call in (store.read, store.exists, store.delete, store.get_size):
        with pytest.raises(InvalidKey):
            await call(key)
    with pytest.raises(InvalidKey):
        await store.write(key, 1)


async def test_parts_that_do_not_go_together(store: AsyncAutoStore) -> None:
    await store.write("mixed/", [{"a": 1}, [2]])
    with pytest.raises(NotImplementedError, match="dict, list"):
        await store.read("mixed/")


def test_the_sugar_of_a_dictionary() -> None:
    store = AutoStore("memory://")
    store["a"] = {"a": 1}
    store["b.txt"] = "text"
    assert "a" in store
    assert "a.json" in store
    assert "c" not in store
    assert 3 not in store
    assert sorted(store) == ["a.json", "b.txt"]
    assert len(store) == 2
    assert {key: store[key] for key in store} == {"a.json": {"a": 1}, "b.txt": "text"}
    del store["a"]
    with pytest.raises(KeyError):
        store["a"]
    with pytest.raises(KeyError):
        del store["a"]
    assert store.get_size("b") == 4
    assert store
