"""Tables of medians, and of the ratios within the rounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from benchmarks import markdown
from benchmarks.s3.peers import PEERS
from benchmarks.s3.race import Turn, Turns
from benchmarks.s3.tasks import MIB, SMALL_TASKS, Task

OURS = next(iter(PEERS))
HEAD = ("client", "rate", "processor", "peak memory", "ours is faster by", "our processor time")


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


def summary(found: Mapping[Task, Turns]) -> Iterator[str]:
    """The rate of each client, and in brackets its time on the processor: small, then the rest."""
    small = [task for task in found if task in SMALL_TASKS]
    if small:
        yield from _summary("requests/s, 4 KiB", {task: found[task] for task in small})
    rest = {task: turns for task, turns in found.items() if task not in SMALL_TASKS}
    if small and rest:
        yield ""
    if rest:
        yield from _summary("", rest)


def _summary(head: str, found: Mapping[Task, Turns]) -> Iterator[str]:
    """One line a task, one column for each client that did any of them."""
    names = [name for name in PEERS if any(name in turns for turns in found.values())]
    names = [name for name in names if not name.startswith(f"{OURS}, ")]  # ours in other ways

    def lines() -> Iterator[list[str]]:
        for task, turns in found.items():
            cells = [
                f"{rate(task, turns[name]):,.0f} ({processor(task, turns[name]):.2f})"
                if name in turns
                else "-"
                for name in names
            ]
            yield [_label(task), *cells]

    yield from markdown.table((head, *names), lines())


def _label(task: Task) -> str:
    if task in SMALL_TASKS:
        return f"{task.verb.upper()}, {task.in_flight} at once"
    return f"{task.name}, {'MB' if task.unit == 'bytes' else task.unit}/s"
