"""The store in memory: limits, and objects that go by themselves."""

from __future__ import annotations

import gc
import random
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from storage import open_store
from storage._async.backends._memory import sorting
from storage.object import (
    AsyncDictStore,
    ConfigError,
    DictStore,
    NoSpace,
    ObjectExists,
    ObjectNotFound,
    PreconditionFailed,
    SupportsTTL,
)
from storage.utils import PrefixStore
from tests.wrappers.clocks import FakeClock


def held(store: DictStore) -> int:
    """Bytes in a store, which has counted them right."""
    room = store._async._shelf.room
    total = sum(map(len, store.objects.values()))
    assert room is not None
    assert room.total == total
    return total


# -- limits ---------------------------------------------------------------------------------


def test_what_exceeds_the_limit_is_refused() -> None:
    with DictStore(max_size=1000) as store:
        first = store.put("a", b"1" * 600)
        store.put("b", b"2" * 400)
        for key, size in (("c", 1), ("b", 401), ("a", 2000)):
            with pytest.raises(NoSpace, match="max_size=1000"):
                store.put(key, bytes(size))
        assert store.head("a") == first
        assert store.objects == {"a": b"1" * 600, "b": b"2" * 400}
        with pytest.raises(NoSpace):
            store.copy("b", "c")
        store.put("a", b"1" * 599)  # in place of what is there
        store.put("c", b"3")
        store.delete("b")
        assert store.copy("c", "d").size == 1
        assert store.move("a", "e").size == 599  # needs its room only once
        assert held(store) == 601
        assert store.clear() == 3
        store.put("all", bytes(1000))
        assert held(store) == 1000


def test_a_stream_is_refused_early() -> None:
    drawn = []

    def pieces() -> Iterator[bytes]:
        for number in range(100):
            drawn.append(number)
            yield bytes(300_000)

    with DictStore(max_size=1_000_000) as store:
        store.put("a", b"old")
        with pytest.raises(NoSpace, match="more than max_size=1000000"):
            store.put("a", pieces())
        assert len(drawn) < 10
        assert store.get("a") == b"old"
        store.put("b", iter([bytes(300_000)] * 3))
        assert held(store) == 900_003


def test_what_was_not_used_for_longest_goes() -> None:
    with DictStore(max_size=100, when_full="evict") as store:
        for key in "abcde":
            store.put(key, bytes(20))
        store.get("a")
        store.get_range("b", 1, 2)
        store.head("c")  # looking is no use
        assert store.exists("d")
        store.put("e", bytes(15))
        store.put("f", bytes(40))
        assert set(store.objects) == {"a", "b", "e", "f"}
        store.put("a", bytes(60))  # and does not count twice itself
        assert set(store.objects) == {"a", "f"}
        with pytest.raises(NoSpace):
            store.put("g", bytes(101))
        assert set(store.objects) == {"a", "f"}
        store.put("f", bytes(100))
        assert set(store.objects) == {"f"}
        assert held(store) == 100


def test_a_dict_of_others_counts() -> None:
    objects = {"a": bytes(50), "b": bytes(30)}
    store = DictStore(objects, max_size=100)
    with pytest.raises(NoSpace):
        store.put("c", bytes(21))
    objects["d"] = bytes(20)
    with pytest.raises(NoSpace):
        store.put("c", b"1")
    del objects["a"]
    store.put("c", bytes(50))
    assert held(store) == 100
    objects.clear()
    store.put("c", bytes(100))
    assert held(store) == 100


@pytest.mark.parametrize("when_full", ["refuse", "evict"])
def test_threads_keep_the_limit(when_full: Any) -> None:
    store = DictStore(max_size=5000, when_full=when_full, ttl=60)

    def work(number: int) -> None:
        chance = random.Random(number)
        for _ in range(400):
            key = f"k{chance.randrange(30)}"
            try:
                match chance.randrange(4):
                    case 0:
                        store.delete(key, missing_ok=True)
                    case 1:
                        store.get(key)
                    case _:
                        store.put(key, bytes(chance.randrange(600)))
            except (NoSpace, ObjectNotFound):
                continue

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, range(4)))
    finally:
        sys.setswitchinterval(interval)
    assert held(store) <= 5000


# -- lifetimes ------------------------------------------------------------------------------


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def test_an_object_whose_time_is_over_is_nowhere(clock: FakeClock) -> None:
    store = DictStore(ttl=10, clock=clock)
    etag = store.put("a", b"1", content_type="text/x").etag
    store.with_ttl(None).put("stays", b"2")
    clock.now += 9.9
    assert store.get("a") == b"1"
    assert list(store.keys()) == ["a", "stays"]
    clock.now += 0.1
    for read in (store.get, store.head, store.delete, store.get_range):
        with pytest.raises(ObjectNotFound):
            read("a")
    assert not store.exists("a")
    assert list(store.keys()) == ["stays"]
    assert [info.key for info in store.list()] == ["stays"]
    with pytest.raises(ObjectNotFound):
        store.copy("a", "b")
    with pytest.raises(PreconditionFailed):
        store.put("a", b"3", if_match=etag)
    store.put("a", b"4", if_absent=True)
    with pytest.raises(ObjectExists):
        store.put("a", b"5", if_absent=True)
    assert store.head("a").content_type is None
    assert store.delete_many(["a", "stays", "gone"]) == 3
    assert store.objects == {}


LOOKS: dict[str, Callable[[DictStore], Any]] = {
    "get": lambda store: store.get("a"),
    "head": lambda store: store.head("a"),
    "copy": lambda store: store.copy("a", "b"),
    "stream": lambda store: list(store.stream("a")),
    "range": lambda store: store.get_range("a", 0, 1),
    "delete": lambda store: store.delete("a"),
    "exists": lambda store: store.exists("a"),
    "keys": lambda store: list(store.keys()),
    "list": lambda store: list(store.list()),
    "delete what is there": lambda store: store.delete("a", missing_ok=True),
}


@pytest.mark.parametrize("look", LOOKS)
def test_each_verb_is_the_first_to_notice(clock: FakeClock, look: str) -> None:
    store = DictStore(clock=clock)
    store.with_ttl(5).put("a", b"1")
    clock.now += 5
    assert "a" in store.objects  # nobody has looked
    try:
        assert not LOOKS[look](store)
    except ObjectNotFound:
        assert look not in ("exists", "keys", "list", "delete what is there")
    assert store.objects == {}


def test_each_put_sets_the_time_anew(clock: FakeClock) -> None:
    store = DictStore(ttl=10, clock=clock)
    short, ever = store.with_ttl(1), store.with_ttl(None)
    assert short.objects is store.objects
    for first, second, after in ((store, short, 1), (short, store, 10)):
        first.put("a", b"1")
        second.put("a", b"2")
        clock.now += after - 0.5
        assert store.get("a") == b"2"
        clock.now += 0.5
        assert not store.exists("a")
    short.put("a", b"1")
    ever.put("a", b"2")
    clock.now += 1e9
    assert store.get("a") == b"2"
    store.with_ttl(0).put("a", b"3")
    assert not store.exists("a")
    with short.open_writer("w") as writer:
        writer.write(b"1")
    short.put_many({"m": b"1"})
    assert set(store.keys()) == {"m", "w"}
    clock.now += 1
    assert list(store.keys()) == []


def test_copies_and_moves_go_with_their_source(clock: FakeClock) -> None:
    store = DictStore(clock=clock)
    store.with_ttl(10).put("a", b"1", content_type="text/x")
    clock.now += 6
    assert store.copy("a", "b").content_type == "text/x"
    store.move("a", "c")
    store.put("d", b"1")
    store.with_ttl(1).copy("d", "e")
    clock.now += 3
    assert list(store.keys()) == ["b", "c", "d", "e"]
    clock.now += 1
    assert list(store.keys()) == ["d", "e"]


def test_sweeping(clock: FakeClock) -> None:
    store = DictStore(ttl=5, clock=clock)
    for number in range(300):
        store.put(f"k{number}", b"1")
    clock.now += 1
    store.put("late", b"1")
    clock.now += 4
    store.put("new", b"1")
    assert 1 < len(store.objects) < 301  # each put takes some away
    before = len(store.objects)
    assert store.sweep() == before - 2
    assert set(store.objects) == {"late", "new"}
    assert store.sweep() == 0


def test_what_is_over_makes_room_first(clock: FakeClock) -> None:
    options: tuple[dict[str, Any], ...] = ({"when_full": "refuse"}, {"when_full": "evict"})
    for option in options:
        store = DictStore(max_size=100, clock=clock, **option)
        store.put("stays", bytes(50))
        store.with_ttl(1).put("goes", bytes(50))
        store.get("goes")
        clock.now += 1
        store.put("new", bytes(50))
        assert set(store.objects) == {"stays", "new"}
        assert held(store) == 100


def test_many_puts_of_one_key_take_no_memory(clock: FakeClock) -> None:
    store = DictStore(ttl=3600, clock=clock)
    for _ in range(2000):
        store.put("a", b"1")
        clock.now += 0.001
    assert len(store._async._shelf.deadlines.heap) < 200
    clock.now += 3599
    assert store.exists("a")
    clock.now += 2
    assert store.sweep() == 1


def test_what_others_put_there_stays(clock: FakeClock) -> None:
    objects: dict[str, bytes] = {}
    store = DictStore(objects, ttl=1, clock=clock)
    store.put("a", b"1")
    objects["a"] = b"theirs"
    objects["b"] = b"theirs"
    clock.now += 2
    assert store.sweep() == 0
    assert store.get("a") == store.get("b") == b"theirs"


def test_readers_and_writers_at_the_deadline() -> None:
    """Whoever finds an object gone never takes the next one with it."""
    clock = FakeClock()
    store = DictStore(ttl=1, clock=clock)
    done, failures = threading.Event(), []

    def look() -> None:
        while not done.is_set():
            store.exists("a")
            list(store.keys())

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for number in range(300):
        store.put("a", b"%d" % number)
        try:
            assert store.get("a") == b"%d" % number
        except (AssertionError, ObjectNotFound) as error:
            failures.append(error)
        clock.now += 1
    done.set()
    for thread in threads:
        thread.join()
    assert not failures


@pytest.mark.parametrize("ttl", [-1, float("nan"), "5", True])
def test_lifetimes_that_are_none(ttl: Any) -> None:
    with pytest.raises(ConfigError, match="ttl"):
        DictStore(ttl=ttl)
    with pytest.raises(ConfigError, match="ttl"):
        DictStore().with_ttl(ttl)


def test_limits_that_are_none() -> None:
    wrong: tuple[dict[str, Any], ...] = ({"max_size": 0}, {"max_size": -1}, {"when_full": "panic"})
    for options in wrong:
        with pytest.raises(ConfigError):
            DictStore(**options)


def test_url() -> None:
    store = open_store("memory://?max_size=10&when_full=evict&ttl=60")
    store.put("a", bytes(8))
    store.put("b", bytes(8))
    assert list(store.keys()) == ["b"]
    for option in ("max_size=0", "when_full=x", "ttl=-1", "ttl=x", "max_size=1.5", "clock=1"):
        with pytest.raises(ConfigError):
            open_store(f"memory://?{option}")


def test_who_can_do_it_says_so() -> None:
    assert isinstance(DictStore(), SupportsTTL)
    assert isinstance(AsyncDictStore(), SupportsTTL)
    assert not isinstance(PrefixStore(DictStore(), "p/"), SupportsTTL)


def test_a_view_needs_no_closing() -> None:
    store = AsyncDictStore()
    view = store.with_ttl(5)
    assert type(view) is AsyncDictStore
    del view
    gc.collect()


# -- listings -------------------------------------------------------------------------------


def test_keys_of_a_large_dict_come_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sorting, "PART", 128)
    chance = random.Random(3)
    everything = [f"{chance.choice('abé')}/{number:05}" for number in range(3000)]
    store = DictStore(dict.fromkeys(everything, b""))
    parts = list(sorting.sorted_parts(store.objects, "", ""))
    assert 8 < len(parts) <= 2 * sorting.PARTS
    assert max(map(len, parts)) < len(everything) // 4
    for prefix, after in (
        ("", ""),
        ("b/", ""),
        ("é", "é/01"),
        ("a/00", "a/003"),
        ("c", ""),
        ("", "b"),
    ):
        wanted = [key for key in sorted(everything) if key.startswith(prefix) and key > after]
        assert list(store.keys(prefix, start_after=after)) == wanted
    assert len(list(sorting.sorted_parts(store.objects, "b/", ""))) < len(parts)


def test_a_listing_in_parts_while_others_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sorting, "PART", 64)
    staying = {f"{number:05}" for number in range(2000)}
    store = DictStore(dict.fromkeys(sorted(staying, key=hash), b""))
    done = threading.Event()

    def change() -> None:
        while not done.is_set():
            for number in range(200):
                store.put(f"{number * 10:05}-more", b"")
            for number in range(200):
                store.delete(f"{number * 10:05}-more")

    with ThreadPoolExecutor(1) as pool:
        changing = pool.submit(change)
        try:
            for _ in range(10):
                found = list(store.keys())
                assert found == sorted(set(found))
                assert staying <= set(found)
        finally:
            done.set()
        changing.result()
