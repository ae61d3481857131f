"""Keys of a large dict in order, without a list of them all."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice

PART = 65_536
"""Keys that are sorted at a time, about."""
PARTS = 16
"""Passes over the dict at most; of very many keys, parts are larger."""
_SAMPLES = 64
"""Keys that are looked at to find where a part begins and ends."""


def sorted_parts(keys: Collection[str], prefix: str, start_after: str) -> Iterator[list[str]]:
    """The keys in order, in parts that hold at least those which a listing asks for.

    A key that is there all the time comes once, whatever others do meanwhile.

    Args:
        keys: A dict's; others may change it.
        prefix: What the keys begin with.
        start_after: What they come after.
    """
    # Python compares code points, which is the order of UTF-8 bytes.
    size = max(PART, len(keys) // PARTS)
    if len(keys) <= size:
        yield sorted(keys)
        return
    after = start_after
    for until in _bounds(keys, size):
        if until > after and until >= prefix:
            yield _part(keys, prefix, after, until)
            after = until
            if not until.startswith(prefix):
                return
    yield _part(keys, prefix, after, None)


def _bounds(keys: Collection[str], size: int) -> list[str]:
    """Keys between which there are ``size`` others, about."""
    return sorted(islice(keys, 0, None, size // _SAMPLES))[_SAMPLES::_SAMPLES]


def _part(keys: Collection[str], prefix: str, after: str, until: str | None) -> list[str]:
    # No line of Python among this, which another thread could come between.
    some = filter(after.__lt__, keys)
    found = list(some if until is None else filter(until.__ge__, some))
    if prefix:
        found = [key for key in found if key.startswith(prefix)]
    found.sort()
    return found
