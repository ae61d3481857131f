"""What a store looks like to the benchmarks: blocking, and on a loop."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar


class Contender:
    """A store in use; those that cannot do something lack the method.

    Args:
        folder: Where it may write.
        durable: Whether what is written survives a power cut.
    """

    needs: ClassVar[str] = "storage"
    """The module that it needs."""
    durable: ClassVar[tuple[bool, ...]] = (False,)
    """Which of the two it can be."""
    whole: ClassVar[bool] = True
    """Whether large objects are values like all others."""

    def __init__(self, folder: Path, durable: bool) -> None:
        self.folder, self.survives = folder, durable
        self.stack = ExitStack()
        self.enter()

    def enter(self) -> None:
        """Open it."""

    def close(self) -> None:
        """Close it."""
        self.stack.close()

    # A verb that is None is none: a store may have fewer than all.
    put: Any = None
    get: Any = None
    exists: Any = None
    delete: Any = None

    def list(self) -> int:
        """How many keys there are, counted one by one."""
        raise NotImplementedError

    def write(self, key: str, pieces: Iterable[bytes]) -> None:
        """A large object; in one piece where it can be no other way."""
        self.put(key, b"".join(pieces))

    def read(self, key: str) -> int:
        """Read it all; returns how many bytes came."""
        return len(self.get(key))


class AsyncContender(Contender):
    """Its methods are coroutines."""

    async def aenter(self) -> None:
        """Open it, on the loop."""

    async def aclose(self) -> None:
        """Close it."""
