"""What a forked child begins anew: another thread of the parent may have held its locks."""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet


class Begins(Protocol):
    """Something that can begin anew."""

    def _begin(self) -> None: ...


_all: WeakSet[Begins] = WeakSet()


def begin_in_child(something: Begins) -> None:
    """Call ``_begin`` in each forked child, for as long as it is there."""
    _all.add(something)


def _after_fork_in_child() -> None:
    for each in list(_all):
        each._begin()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_after_fork_in_child)
