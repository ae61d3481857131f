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
    step = size // _SAMPLES
    try:
        sample = sorted(islice(keys, 0, None, step))
    except RuntimeError:  # another thread has put something there
        sample = sorted(list(keys)[::step])
    return sample[_SAMPLES::_SAMPLES]


def _part(keys: Collection[str], prefix: str, after: str, until: str | None) -> list[str]:
    def chosen(keys: Collection[str]) -> list[str]:
        if until is None:
            return [key for key in keys if key > after and key.startswith(prefix)]
        return [key for key in keys if after < key <= until and key.startswith(prefix)]

    try:
        found = chosen(keys)
    except RuntimeError:
        found = chosen(list(keys))  # which no other thread comes between
    found.sort()
    return found
