"""What constructors take, and values made to fit."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest

from storage._core.arguments import Role, constructor_of, fitted, wanted
from storage.object import AsyncObjectStore, Capability, ObjectStore
from storage.s3 import AsyncBucketStore, BucketStore
from storage.utils import RoutingStore

FITS = [
    (3, int, 3),
    ("3", int, 3),
    (3, float, 3),
    ("2.5", float | None, 2.5),
    (None, float | None, None),
    ("yes", bool, True),
    ("False", bool, False),
    (True, bool, True),
    ("3", str | int, "3"),
    (3, str | int, 3),
    (b"x", bytes, b"x"),
    ("x", str | os.PathLike[str], "x"),
    ("x", Path, Path("x")),
    ("a", Literal["a", "b"], "a"),
    (["1", 2], Sequence[int], [1, 2]),
    ([1, "x"], list[Any], [1, "x"]),
    ({"a": "x"}, Mapping[str, bytes], {"a": "x"}),
    ("ordered, streams", Capability, Capability.ORDERED | Capability.STREAMS),
    (["ORDERED"], Capability, Capability.ORDERED),
    ([], Capability, Capability.NONE),
    (Capability.NONE, Capability, Capability.NONE),
    ("3", Annotated[int, "of something"], 3),
    ("x", str | re.Pattern[str], "x"),
    (object, Any, object),
]
MISFITS = [
    ("x", int, "a whole number"),
    (True, int, "a whole number"),
    (2.5, int, "a whole number"),
    (1, bool, "true or false"),
    (False, float, "a number"),
    (3, str, "a text"),
    ("x", bytes, "bytes"),
    (3, os.PathLike[str], "a path"),
    ("c", Literal["a", "b"], "'a' or 'b'"),
    ("abc", Sequence[str], "a list"),
    ({"a": 1}, Sequence[str], "a list"),
    ([["x"]], Sequence[int], "a list"),
    ([1], Mapping[str, int], "a mapping"),
    ("nope", Capability, "one of .*ordered"),
    ([3], Capability, "one of .*ordered"),
    ("x", Callable[[str], None], "Callable, which only code can give"),
    ("x", re.Pattern[str], "Pattern, which only code can give"),
    (None, int | str, "a whole number or a text"),
]


@pytest.mark.parametrize(("value", "hint", "expected"), FITS)
def test_values_that_fit(value: Any, hint: Any, expected: Any) -> None:
    found = fitted(value, hint)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(("value", "hint", "message"), MISFITS)
def test_values_that_do_not(value: Any, hint: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"it is .*{message}"):
        fitted(value, hint)
    assert re.search(message, wanted(hint))


def test_arguments_and_their_roles() -> None:
    class Made:
        """Something.

        Args:
            store: The first.
            others: The
                rest.
            size (int): How many.

        Raises:
            size: No.
        """

        def __init__(
            self,
            store: ObjectStore,
            others: Sequence[AsyncObjectStore] = (),
            routes: list[tuple[str, ObjectStore]] | None = None,
            *,
            size: int = 3,
            **more: Any,
        ) -> None: ...

    made = constructor_of(Made)
    assert made.make is Made
    assert made.takes_more
    roles = {name: argument.role for name, argument in made.arguments.items()}
    assert roles == {
        "store": Role.STORE,
        "others": Role.STORES,
        "routes": Role.ROUTES,
        "size": Role.VALUE,
    }
    texts = {name: argument.text for name, argument in made.arguments.items()}
    assert texts == {
        "store": "The first.",
        "others": "The rest.",
        "routes": "",
        "size": "How many.",
    }
    assert [a.name for a in made.arguments.values() if a.required] == ["store"]
    assert made.arguments["size"].default == 3


def test_special_constructors() -> None:
    class Plain:
        pass

    assert constructor_of(Plain).arguments == {}
    for kind in (AsyncBucketStore, BucketStore):
        made = constructor_of(kind)
        assert made.make == kind.connect
        assert made.arguments["bucket_name"].required
        assert made.arguments["part_size"].text
    routes = constructor_of(RoutingStore).arguments["routes"]
    assert (routes.role, routes.required) == (Role.ROUTES, False)


def test_annotations_that_mean_nothing_here_are_no_obstacle() -> None:
    class Odd:
        def __init__(self, size: Nowhere, main_store: Nowhere, children: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    roles = [argument.role for argument in constructor_of(Odd).arguments.values()]
    assert roles == [Role.VALUE, Role.STORE, Role.STORES]
