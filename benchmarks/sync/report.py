"""Tables of medians, and of our ratio to the best of the others within the rounds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks import markdown
from benchmarks.sync.peers import OURS, PEERS
from benchmarks.sync.race import STAGES, Cycle, Task, Turn
from benchmarks.sync.trees import MIB

LIMITS = dict(zip(STAGES, (0.8, 1.0, 1.0), strict=True))
"""Of what the best of the others takes, ours may take so much."""
PEAK = 150
"""MiB that ours may need."""


@dataclass(frozen=True)
class Verdict:
    """A figure of ours beside what it may be."""

    title: str
    figure: float
    limit: float
    unit: str

    @property
    def met(self) -> bool:
        """Whether it keeps to it."""
        return self.figure <= self.limit

    def __str__(self) -> str:
        word = "met" if self.met else "MISSED"
        return f"{self.title}: {self.figure:.2f} {self.unit} (at most {self.limit:g}): {word}"


def turns(cycles: Sequence[Cycle], stage: str) -> list[Turn]:
    """Those of one stage."""
    return [cycle[stage] for cycle in cycles]


def seconds(cycles: Sequence[Cycle], stage: str) -> float:
    """The median."""
    return median(turn.seconds for turn in turns(cycles, stage))


def peak(cycles: Sequence[Cycle]) -> float:
    """MiB, of all stages and rounds."""
    return max(turn.peak for cycle in cycles for turn in cycle.values()) / MIB


def works(cycles: Sequence[Cycle]) -> bool:
    """Whether nothing failed."""
    return not any(turn.failure for cycle in cycles for turn in cycle.values())


def best(task: Task, stage: str) -> str | None:
    """Which of those that ours is measured against takes the least time, and does it right."""
    able = [name for name, cycles in task.cycles.items() if PEERS[name].judged and works(cycles)]
    return min(able, key=lambda name: seconds(task.cycles[name], stage), default=None)


def ratio(task: Task, stage: str, peer: str) -> float:
    """How much of the other's time ours takes, round by round."""
    pairs = zip(task.cycles[OURS], task.cycles[peer], strict=True)
    return median(own[stage].seconds / other[stage].seconds for own, other in pairs)


def cells(cycles: Sequence[Cycle], stage: str) -> str:
    """Seconds, and in brackets those on the processor."""
    if any(turn.failure for turn in turns(cycles, stage)):
        return "failed"
    processor = median(turn.processor for turn in turns(cycles, stage))
    return f"{seconds(cycles, stage):.2f} ({processor:.2f})"


def details(task: Task) -> Iterator[str]:
    """A line for each contender."""
    lines = [
        [name, *(cells(cycles, stage) for stage in STAGES), f"{peak(cycles):.0f}"]
        for name in PEERS
        if (cycles := task.cycles.get(name))
    ]
    yield from markdown.table(("seconds (on the processor)", *STAGES, "peak MiB"), lines)


def verdicts(task: Task) -> Iterator[Verdict]:
    """What ours is judged by."""
    if OURS not in task.cycles:
        return
    for stage, limit in LIMITS.items():
        if peer := best(task, stage):
            yield Verdict(f"{stage}, of {peer}'s time", ratio(task, stage, peer), limit, "times")
    yield Verdict("peak memory", peak(task.cycles[OURS]), PEAK, "MiB")


def summary(tasks: Iterable[Task]) -> Iterator[str]:
    """One line for each stage of each task; one more column with our ratio to the best."""
    tasks = list(tasks)
    names = [name for name in PEERS if any(name in task.cycles for task in tasks)]
    yield from markdown.table(("", *names, "ours : best"), _summary(tasks, names))


def _summary(tasks: Sequence[Task], names: Sequence[str]) -> Iterator[list[str]]:
    for task in tasks:
        for stage in STAGES:
            peer = OURS in task.cycles and best(task, stage)
            found = [
                cells(task.cycles[name], stage) if name in task.cycles else "-" for name in names
            ]
            share = f"{ratio(task, stage, peer):.2f}" if peer else "-"
            yield [f"{task.name}, {stage}", *found, share]
        peaks = [f"{peak(task.cycles[name]):.0f}" if name in task.cycles else "-" for name in names]
        yield [f"{task.name}, peak MiB", *peaks, "-"]
