"""Every verb as something to try, for promises that all of them make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from .._async.base import AsyncBaseStore

Attempt: TypeAlias = Callable[[], Any]


async def tried(attempt: Attempt) -> Any:
    """Call ``attempt``, and await, enter or iterate to its end whatever it gives."""
    given = attempt()
    if hasattr(given, "__aenter__"):
        async with given:
            return None
    if hasattr(given, "__aiter__"):
        return [item async for item in given]
    return await given


def reads(store: AsyncBaseStore, key: Any) -> dict[str, Attempt]:
    """All ways to read an object; each raises where there is none."""
    return {
        "get": lambda: store.get(key),
        "get_with_info": lambda: store.get_with_info(key),
        "get_range": lambda: store.get_range(key, 0, 1),
        "get_range of nothing": lambda: store.get_range(key, 5, 5),
        "get_ranges": lambda: store.get_ranges(key, [(0, 1), (-1, None)]),
        "head": lambda: store.head(key),
        "stream": lambda: store.stream(key),
        "open_reader": lambda: store.open_reader(key),
    }


def takes(store: AsyncBaseStore, key: Any) -> dict[str, Attempt]:
    """All ways to remove an object or to put it elsewhere; each raises where there is none."""
    return {
        "delete": lambda: store.delete(key),
        "copy": lambda: store.copy(key, "target"),
        "move": lambda: store.move(key, "target"),
    }


def writes(store: AsyncBaseStore, key: Any, source: str) -> dict[str, Attempt]:
    """All ways to write an object, and those to ask or remove that do not mind if there is none.

    Args:
        store: The store.
        key: The object's key.
        source: The key of an object that may be there, for copies.
    """
    return {
        "exists": lambda: store.exists(key),
        "put": lambda: store.put(key, b"value"),
        "put of a stream": lambda: store.put(key, iter([b"value"])),
        "open_writer": lambda: store.open_writer(key),
        "delete(missing_ok)": lambda: store.delete(key, missing_ok=True),
        "copy to": lambda: store.copy(source, key),
        "move to": lambda: store.move(source, key),
    }


MILD = ("exists", "delete(missing_ok)")
"""Those of `writes` that change nothing where there is no object."""


def listings(store: AsyncBaseStore, prefix: Any = "") -> dict[str, Attempt]:
    """All listings."""
    return {
        "keys": lambda: store.keys(prefix),
        "list": lambda: store.list(prefix),
        "list_with_delimiter": lambda: store.list_with_delimiter(prefix),
    }
