"""Waiting for descriptors."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Awaitable, Callable
from time import monotonic, sleep
from typing import TypeVar

from ...._core import calls
from ...._core.errors import StoreError, from_oserror

T = TypeVar("T")

PATIENCE = 5.0
"""Seconds to wait for descriptors while the process has as many open as it may."""


async def patiently(attempt: Callable[[], Awaitable[T]]) -> T:
    """Try again for a while where the process has as many files open as it may.

    Args:
        attempt: Called each time; errors of the operating system that it raises become ours.
    """
    end, pause = 0.0, 0.005
    while True:
        try:
            return await attempt()
        except StoreError:
            raise
        except OSError as error:
            end = end or monotonic() + PATIENCE
            if not is_exhausted(error) or monotonic() >= end:
                raise from_oserror(error) from error
        await rest(pause)
        pause = min(pause * 2, 0.05)


async def rest(seconds: float) -> None:
    """Wait; not in a worker, since those who can close files need one to get on."""
    await (calls.call(sleep, seconds) if calls.direct() else asyncio.sleep(seconds))


def patiently_here(function: Callable[[], T]) -> T:
    """Like `patiently`, in the middle of a blocking function; errors pass through."""
    end = monotonic() + PATIENCE
    while True:
        try:
            return function()
        except OSError as error:
            if not is_exhausted(error) or monotonic() >= end:
                raise
        sleep(0.01)


def is_exhausted(error: OSError) -> bool:
    """Whether an error says that there are as many open files as there may be."""
    return error.errno in (errno.EMFILE, errno.ENFILE)
