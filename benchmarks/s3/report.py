"""Tables of medians, and of the ratios within the rounds."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from benchmarks.s3.peers import PEERS
from benchmarks.s3.race import Turn, Turns
from benchmarks.s3.tasks import MIB, Task

OURS = next(iter(PEERS))
HEAD = ("client", "rate", "processor", "peak memory", "ours is faster by", "our processor time")
BEGIN, END = "<!-- s3-figures -->", "<!-- /s3-figures -->"


def rate(task: Task, turns: Sequence[Turn]) -> float:
    """Requests, keys or megabytes a second."""
    each = task.count / median(turn["seconds"] for turn in turns)
    return each / 1e6 if task.unit == "bytes" else each


def processor(task: Task, turns: Sequence[Turn]) -> float:
    """Seconds on the processor: for a thousand, or for all of a large object."""
    spent = median(turn["cpu"] for turn in turns)
    return spent if task.unit == "bytes" else spent / task.count * 1000


def ratio(field: str, ours: Sequence[Turn], theirs: Sequence[Turn]) -> float:
    """How often ours goes into theirs, round by round."""
    return median(b[field] / a[field] for a, b in zip(ours, theirs, strict=True))


def rows(task: Task, turns: Turns) -> Iterator[list[str]]:
    """One line a client: rate, time on the processor, peak of memory, our ratio to it."""
    unit = "MB" if task.unit == "bytes" else task.unit
    for name in PEERS:
        theirs = turns.get(name)
        if theirs:
            yield [
                name,
                f"{rate(task, theirs):,.0f} {unit}/s",
                f"{processor(task, theirs):.3f} s",
                f"{max(turn['peak'] for turn in theirs) / MIB:,.0f} MiB",
                f"{ratio('seconds', turns[OURS], theirs):.2f}" if OURS in turns else "",
                f"{1 / ratio('cpu', turns[OURS], theirs):.2f}" if OURS in turns else "",
            ]


def table(head: Sequence[str], lines: Iterator[list[str]]) -> Iterator[str]:
    """Markdown."""
    yield f"| {' | '.join(head)} |"
    yield f"| --- |{' ---: |' * (len(head) - 1)}"
    for line in lines:
        yield f"| {' | '.join(line)} |"


def where(rounds: int) -> str:
    """The day and the machine."""
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} processors ({platform.machine()}), Python "
        f"{platform.python_version()}, SeaweedFS on the same machine, medians of {rounds} "
        "interleaved rounds"
    )


def summary(found: Mapping[Task, Turns], names: Sequence[str]) -> Iterator[str]:
    """One line a task: the rate of each client, and in brackets its time on the processor."""

    def lines() -> Iterator[list[str]]:
        for task, turns in found.items():
            unit = "MB" if task.unit == "bytes" else task.unit
            cells = [
                f"{rate(task, turns[name]):,.0f} ({processor(task, turns[name]):.2f})"
                if name in turns
                else "-"
                for name in names
            ]
            yield [f"{task.name}, {unit}/s", *cells]

    yield from table(("", *names), lines())


def write(readme: Path, lines: Sequence[str]) -> None:
    """Put lines between the marks of a text."""
    text = readme.read_text("utf-8")
    block = "\n".join((BEGIN, *lines, END))
    changed = re.sub(
        f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _: block, text, flags=re.DOTALL
    )
    readme.write_text(changed, "utf-8")
