"""How far a sync is: one line, drawn anew a few times in a second."""

from __future__ import annotations

import sys
from collections import deque
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from asyncio import Task

    from .._async.transfer.report import SyncReport

INTERVAL, PLAIN_INTERVAL = 0.2, 10.0
"""Seconds from one line to the next, on a terminal and elsewhere."""
WINDOW = 25
"""Lines over which the rate is a mean."""


class Progress:
    """Shows how far a sync is while the block runs.

    Args:
        title: What the line begins with.
        report: Its sums.
        shown: Whether to show anything; None: if standard error is a terminal.
    """

    def __init__(self, title: str, report: SyncReport, shown: bool | None = None) -> None:
        self._title = title
        self._report = report
        self._terminal = sys.stderr.isatty() if shown is None or shown else False
        self._shown = self._terminal if shown is None else shown
        self._marks = deque([(monotonic(), 0)], WINDOW)
        self._task: Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self._shown:
            import asyncio

            self._task = asyncio.create_task(self._go_on())
        return self

    async def __aexit__(self, *exception: object) -> None:
        if self._task is not None:
            self._task.cancel()
            self.wipe()

    def wipe(self) -> None:
        """Make room for something else on the terminal."""
        if self._task is not None and self._terminal:
            self._print("\r\x1b[K")

    async def _go_on(self) -> None:
        from asyncio import sleep

        while True:
            await sleep(INTERVAL if self._terminal else PLAIN_INTERVAL)
            line = f"{self._title}: {self.line(monotonic())}"
            self._print(f"\r{line[: _columns() - 1]}\x1b[K" if self._terminal else f"{line}\n")

    def _print(self, text: str) -> None:
        with suppress(OSError):
            sys.stderr.write(text)
            sys.stderr.flush()

    def line(self, now: float) -> str:
        """Objects, bytes, rate, the time that is left, and what is in flight."""
        report = self._report
        self._marks.append((now, report.bytes_copied))
        (begun, before), total = self._marks[0], report.bytes_planned
        rate = (report.bytes_copied - before) / (now - begun) if now > begun else 0.0
        left = total - report.bytes_copied
        parts = [
            f"{handled(report):,} of {max(report.listed, handled(report)):,} objects",
            f"{readable(report.bytes_copied)} of {readable(max(total, report.bytes_copied))}",
            f"{readable(rate)}/s",
        ]
        if rate and left > 0:
            parts.append(f"{clock(left / rate)} left")
        return ", ".join([*parts, f"{report.in_flight} in flight"])


def handled(report: SyncReport) -> int:
    """Objects of which it is known what became of them."""
    done = report.copied + report.identical + report.deleted
    return done + report.failed + report.conflicts + report.skipped


def _columns() -> int:
    import os

    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def clock(seconds: float) -> str:
    """A duration as ``m:ss``, or with hours."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def readable(size: float) -> str:
    """A number of bytes with a decimal unit."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
