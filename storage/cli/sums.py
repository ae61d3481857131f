"""What a sync did: an outcome a line as it goes on, and the sums at the end."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

from .._async.transfer.steps import Action
from .descriptors import write_lines
from .main import FAILED, OK, complain, one_line, shown
from .progress import Progress, readable

if TYPE_CHECKING:
    from .._async.transfer.report import SyncEvent, SyncReport, Tell

SHOWN = 10
"""Failures that are named; the others are counted."""
CHANGES = {Action.COPIED: "copy", Action.DELETED: "delete", Action.CONFLICT: "conflict"}


class Teller:
    """Prints what a sync does.

    Args:
        title: What stands before the progress.
        words: The options of `choices.telling`, which are taken out of them.
        dry_run: Whether it only would do so; then each change is named.
    """

    def __init__(self, title: str, words: dict[str, Any], *, dry_run: bool = False) -> None:
        self._title = title
        self._as_json = words.pop("as_json")
        self._quiet = words.pop("quiet")
        self._verbose = words.pop("verbose") or dry_run
        self._shows_progress = words.pop("progress")
        self._progress: Progress | None = None

    def progress(self, report: SyncReport) -> Progress:
        """What shows how far it is, while a block runs."""
        shown = False if self._quiet and self._shows_progress is None else self._shows_progress
        self._progress = Progress(self._title, report, shown)
        return self._progress

    @property
    def listener(self) -> Tell | None:
        """What is to be told of each outcome; None: nobody wants to know."""
        listens = self._as_json or (self._verbose and not self._quiet)
        return self._tell if listens else None

    async def _tell(self, events: list[SyncEvent]) -> None:
        """Print a line for each outcome that is worth one."""
        if self._progress is not None:
            self._progress.wipe()
        await write_lines(sys.stdout, _each(self._lines(events)))

    def _lines(self, events: list[SyncEvent]) -> Iterator[str]:
        for event in events:
            if self._as_json:
                yield _json(_plain(event))
            elif event.action in CHANGES:
                what = f", {readable(event.size)}" if event.action is Action.COPIED else ""
                yield f"{CHANGES[event.action]:<8} {shown(event.key)}  ({event.reason}{what})"

    def sum_up(self, report: SyncReport) -> int:
        """Print failures and sums; returns the exit code."""
        for text in report.warnings:
            complain(text)
        for key, error in list(report.failures.items())[:SHOWN]:
            complain(f"{shown(key)}: {one_line(error)}")
        unnamed = report.failed + report.conflicts - SHOWN
        if unnamed > 0:
            complain(f"and {unnamed} more failed")
        if report.deletes_refused:
            complain(f"nothing was deleted: {report.deletes_refused}")
        if self._as_json:
            print(_json({"sums": report.to_dict()}))
        elif not self._quiet:
            print(table(report))
        return OK if report.complete else FAILED


def _json(told: dict[str, Any]) -> str:
    import json

    return json.dumps(told)


async def _each(lines: Iterator[str]) -> AsyncIterator[str]:
    for line in lines:
        yield line


def _plain(event: SyncEvent) -> dict[str, Any]:
    told: dict[str, Any] = {"action": event.action.value, "key": event.key, "size": event.size}
    if event.reason:
        told["reason"] = event.reason
    if event.error is not None:
        told["error"] = one_line(event.error)
    return told


def table(report: SyncReport) -> str:
    """The sums, one a line."""
    would = "would be " if report.dry_run else ""
    rows = [
        (report.copied, f"{would}copied", readable(report.bytes_copied)),
        (report.identical, "identical", ""),
        (report.deleted, f"{would}deleted", ""),
        (report.failed, "failed", ""),
    ]
    if report.skipped:
        rows.append((report.skipped, "left as they are", ""))
    if report.conflicts:
        rows.append((report.conflicts, "changed meanwhile, left alone", ""))
    lines = [f"{count:>9,} {what:<16}{size:>10}".rstrip() for count, what, size in rows]
    rate = report.bytes_copied / report.seconds if report.seconds and not report.dry_run else 0
    speed = f", {readable(rate)}/s" if rate else ""
    return "\n".join([*lines, f"in {report.seconds:.1f} s{speed}"])


def brief(report: SyncReport) -> str:
    """What was done before it was interrupted, in a few words."""
    parts = [f"{report.copied:,} copied ({readable(report.bytes_copied)})"]
    parts += [f"{report.identical:,} identical"] if report.identical else []
    parts += [f"{report.deleted:,} deleted"] if report.deleted else []
    parts += [f"{report.failed:,} failed"] if report.failed else []
    return ", ".join(parts)
