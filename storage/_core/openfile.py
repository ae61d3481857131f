"""What blocking files share: an async object that was entered, and is left exactly once."""

from __future__ import annotations

import io
import warnings
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Opened(Protocol):
    """An async context manager that was entered; see `runner.Entered`."""

    value: Any

    def run(self, coro: Coroutine[Any, Any, T], /) -> T: ...

    def exit(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> bool: ...

    def abandon(self) -> None: ...


class OpenFile(io.RawIOBase):
    """What readers and writers share: an open object that is left exactly once.

    Args:
        opened: The async reader or writer.
    """

    _opened: Opened | None = None

    def __init__(self, opened: Opened) -> None:
        self._async: Any = opened.value
        self._opened = opened

    def _run(self, coro: Coroutine[Any, Any, T]) -> T:
        assert self._opened is not None
        return self._opened.run(coro)

    def _leave(self, error: BaseException | None = None) -> None:
        opened, self._opened = self._opened, None
        super().close()
        if opened is None:
            return
        if error is None:
            opened.exit(None, None, None)
        else:
            opened.exit(type(error), error, error.__traceback__)

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("the file is closed")

    def _dealloc_warn(self, source: object) -> None:
        """Nobody closed ``source``; a buffer around this file calls this before it flushes."""
        opened, self._opened = self._opened, None
        if opened is not None:
            # A finalizer never waits, and never publishes what may be half an object.
            opened.abandon()
            warnings.warn(f"unclosed {source!r}", ResourceWarning, stacklevel=2, source=source)

    def __del__(self) -> None:
        self._dealloc_warn(self)
        super().close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {getattr(self._async, '_key', None)!r}>"
