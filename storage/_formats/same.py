"""Whether a value is the same after it was written and read, and where it is not."""

from __future__ import annotations

from typing import Any


def check_same(value: Any, back: Any) -> None:
    """Raise where a value would not be read back as it is.

    Args:
        value: What is to be written.
        back: What would be read.

    Raises:
        TypeError: The two differ; it says where.
    """
    found = difference(value, back)
    if found:
        raise TypeError(f"it would not be read back as it is: {found}")


def difference(value: Any, back: Any, place: str = "the value") -> str:
    """Where two values differ first, in words; empty if they do not. A NaN is the same as a NaN."""
    if isinstance(value, dict) and isinstance(back, dict):
        return _of_mappings(value, back, place)
    if isinstance(value, list) and isinstance(back, list) and len(value) == len(back):
        found = (
            difference(one, other, f"{place}[{number}]")
            for number, (one, other) in enumerate(zip(value, back, strict=True))
        )
        return next(filter(None, found), "")
    if isinstance(value, float) and isinstance(back, float) and value != value:  # noqa: PLR0124
        return "" if back != back else _told(value, back, place)  # noqa: PLR0124
    same = value == back and isinstance(value, bool) == isinstance(back, bool)
    return "" if same else _told(value, back, place)


def _of_mappings(value: dict[Any, Any], back: dict[Any, Any], place: str) -> str:
    for key, one in value.items():
        if key not in back:
            return f"{place} has the key {_short(key)}, which would be lost or changed"
        found = difference(one, back[key], f"{place}[{_short(key)}]")
        if found:
            return found
    return "" if len(value) == len(back) else f"{place} would have other keys"


def _told(value: Any, back: Any, place: str) -> str:
    kinds = type(value).__name__, type(back).__name__
    if kinds[0] != kinds[1]:
        return f"{place} is of the type {kinds[0]} and would be {kinds[1]}"
    return f"{place} is {_short(value)} and would be {_short(back)}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
