"""Each row of the translation, by the generated code at work."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from types import ModuleType
from typing import Any, get_overloads, get_type_hints

import pytest

from tests.generator.samples import Sample
from tests.generator.zoo import ZOO


class Store:
    """Somebody's blocking store."""

    def __init__(self) -> None:
        self.threads: set[str] = set()

    def get(self, key: str) -> bytes:
        self.threads.add(threading.current_thread().name)
        return key.encode()

    def put(self, key: str, data: Any) -> None: ...

    def exists(self, key: str) -> bool:
        return True

    def delete(self, key: str) -> None: ...

    def keys(self) -> Iterator[str]:
        return iter([])


@pytest.fixture(scope="module")
def zoo(living: Sample) -> ModuleType:
    living.add("zoo.py", ZOO)
    return living.load("_sync.zoo")


def test_async_methods_run_on_the_loop(zoo: ModuleType) -> None:
    assert zoo.Zoo().late("in", "the ") == "in the storage-loop"
    assert zoo.Zoo().late_too("in ") == "in storage-loop"


def test_construction_is_handed_on(zoo: ModuleType) -> None:
    made = zoo.Zoo("mine", limit=3, word=1)
    assert (made.name, made.limit, made._async._more) == ("mine", 3, {"word": 1})
    assert str(inspect.signature(zoo.Zoo)) == (
        "(name: 'str' = 'zoo', *, limit: 'int' = 1000, **more: 'Any') -> 'None'"
    )


def test_attributes_and_properties_are_forwarded(zoo: ModuleType) -> None:
    made = zoo.Zoo("mine")
    assert (made.kind, made.count, made.length, len(made)) == ("zoo", 7, 4, 5)
    made.length = 2
    assert made.name == "mi"
    assert zoo.Zoo.length.__doc__ == "Of the name."
    assert zoo.Keeper.kind.__doc__ == "What it is."
    with pytest.raises(AttributeError):
        made.kind = "other"


def test_methods_of_the_class_give_twins(zoo: ModuleType) -> None:
    class Mine(zoo.Zoo):  # type: ignore[name-defined,misc]
        pass

    for made in (Mine.named("a"), Mine.opened("a")):
        assert (type(made), made.name) == (Mine, "a")
    assert zoo.Zoo.places() == 3
    assert zoo.Zoo.double(4) == 8
    assert zoo.Zoo().plain("x") == "xzoo"
    assert zoo.Zoo().other().name == "other"
    assert isinstance(zoo.Zoo().other(), zoo.Zoo)


def test_bases_without_a_twin_are_taken_in(zoo: ModuleType) -> None:
    assert zoo.Zoo().walk() == 2
    assert [base.__name__ for base in zoo.Zoo.__mro__[1:-1]] == ["Keeper", "Twin"]
    assert not hasattr(zoo, "Walking")


def test_async_iterators_become_iterators(zoo: ModuleType) -> None:
    made = zoo.Zoo()
    assert list(made.count_up(2000)) == list(range(2000))
    assert list(made.listing(2)) == [0, 1]
    assert list(made.bytes_of(b"ab")) == [b"a", b"b"]
    assert list(made) == [0, 1, 2]
    assert list(zoo.Ticker()) == [1, 0]
    assert list(zoo.numbers(2)) == [0, 1]


def test_contexts_become_contexts(zoo: ModuleType) -> None:
    with zoo.Zoo() as made, made.cage("lion") as name:
        assert name == "lion"
        assert made._async._more == {}
    assert made._async._more == {"left": "lion", "closed": True}


def test_stores_are_adapted_wherever_they_are(zoo: ModuleType) -> None:
    store = Store()
    got = zoo.Zoo().feed(store, [store], {"a": store}, store, store, store)
    assert got == [b"key"] * 6
    assert zoo.Zoo().feed(store, rows=[("a", store), ("b", store, True)]) == [b"key"] * 3
    assert zoo.Zoo().feed(store) == [b"key"]
    assert zoo.visit(store) == [b"key"] * 2
    # In the thread that waits, or where that has left already.
    assert store.threads <= {threading.current_thread().name, "storage-worker"}


def test_callbacks_run_in_worker_threads(zoo: ModuleType) -> None:
    heard = []

    def hear(news: str) -> int:
        heard.append((news, threading.current_thread().name))
        return 1

    assert zoo.Zoo().tell(hear) == 1
    assert zoo.Zoo().tell() is None
    zoo.Zoo().tell_all(hear)
    assert heard == [("news", "storage-worker"), ("all", "storage-worker")]


def test_async_iterables_may_be_blocking(zoo: ModuleType) -> None:
    assert zoo.Zoo().total(iter([1, 2, 3])) == 6


def test_types_are_blocking_ones(zoo: ModuleType) -> None:
    def hints(function: Any) -> dict[str, Any]:
        return get_type_hints(function, vars(zoo))

    protocol = zoo.ObjectStore
    assert hints(zoo.Zoo.feed)["store"] is protocol
    assert str(hints(zoo.Zoo.feed)["more"]).endswith(
        "Sequence[living_sample._core.protocol.ObjectStore]"
    )
    assert hints(zoo.Zoo.feed)["maybe"] == protocol | None
    assert hints(zoo.Zoo.count_up)["return"] == Iterator[int]
    assert hints(zoo.Zoo.total)["numbers"] == Iterable[int]
    assert hints(zoo.Zoo.cage)["return"] == AbstractContextManager[str]
    assert hints(zoo.Zoo.other)["return"] is zoo.Zoo
    assert "Awaitable" not in inspect.getsource(zoo)
    assert [hints(each) for each in get_overloads(zoo.Zoo.pick)] == [
        {"what": int, "return": int},
        {"what": str, "return": str},
    ]
    assert (zoo.Zoo().pick("a"), zoo.choose(3)) == ("a", 3)
    assert len(get_overloads(zoo.choose)) == 2


def test_docstrings_speak_of_the_blocking_side(zoo: ModuleType) -> None:
    assert inspect.getdoc(zoo) == (
        "Things of every shape; `Zoo` is one, an `AsyncIterator` is not.\n\n"
        "They are used in ``with`` and ended by ``zoo.close()``."
    )
    assert zoo.Zoo.__doc__ == "A zoo; not the `Keeper`. Used in ``with``."
    assert zoo.Keeper.close.__doc__ == "Close it; see `Keeper.close`."
    assert zoo.Keeper.__init__.__doc__ == "Make one; see `Keeper`."
    # A name that has no blocking form stays as it is.
    assert zoo.visit.__doc__ == "Visit; unlike `async_visit_all`, once."


def test_only_what_is_public_has_a_twin(zoo: ModuleType) -> None:
    for name in ("helper", "Value", "Handler", "_hidden"):
        assert not hasattr(zoo, name)
        assert not hasattr(zoo.Zoo, name)
    assert zoo.Menagerie is zoo.Zoo


def test_parameters_keep_their_kinds(zoo: ModuleType) -> None:
    exits = inspect.signature(zoo.Keeper.__exit__).parameters.values()
    assert {each.kind for each in exits} == {inspect.Parameter.POSITIONAL_ONLY}
    with pytest.raises(TypeError):
        zoo.Zoo().walk(steps=1)
    assert inspect.signature(zoo.visit).parameters["times"].default == 2
    assert "limit: int = LIMIT" in inspect.getsource(zoo)
