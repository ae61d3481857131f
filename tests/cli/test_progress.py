"""The line that says how far a sync is."""

from __future__ import annotations

import asyncio
import re

import pytest

from storage._async.transfer.report import SyncReport
from storage.cli import progress
from storage.cli.progress import Progress, clock, readable


def test_objects_bytes_rate_time_left_and_what_is_in_flight() -> None:
    report = SyncReport(listed=5000, bytes_planned=40_000_000, in_flight=32)
    shown = Progress("sync", report)
    begun = shown._marks[0][0]
    report.copied, report.identical, report.bytes_copied = 1000, 234, 10_000_000
    line = shown.line(begun + 10)
    left = re.fullmatch(
        r"1,234 of 5,000 objects, 10\.0 MB of 40\.0 MB, 1\.0 MB/s, (0:3\d) left, 32 in flight", line
    )
    assert left, line
    report.copied, report.bytes_copied, report.in_flight = 4766, 40_000_000, 0
    line = shown.line(begun + 40)
    assert line == "5,000 of 5,000 objects, 40.0 MB of 40.0 MB, 1.0 MB/s, 0 in flight"


def test_the_rate_is_that_of_late() -> None:
    report = SyncReport(bytes_planned=10**9)
    shown = Progress("sync", report)
    begun = shown._marks[0][0]
    for second in range(100):
        report.bytes_copied += 1000 if second < 50 else 50_000
        line = shown.line(begun + second)
    assert "50.0 kB/s" in line


async def test_plain_lines_only_where_they_are_wanted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "PLAIN_INTERVAL", 0.001)
    for wanted in (None, False):
        async with Progress("sync", SyncReport(), wanted):
            await asyncio.sleep(0.01)
    assert capsys.readouterr().err == ""
    async with Progress("sync", SyncReport(listed=3), True):
        await asyncio.sleep(0.05)
    lines = capsys.readouterr().err.splitlines()
    assert lines
    assert set(lines) == {"sync: 0 of 3 objects, 0 B of 0 B, 0 B/s, 0 in flight"}


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "0:00"), (59.6, "1:00"), (3599, "59:59"), (7322, "2:02:02")]
)
def test_durations(seconds: float, text: str) -> None:
    assert clock(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2.5e15, "2500.0 TB")]
)
def test_sizes(size: float, text: str) -> None:
    assert readable(size) == text
