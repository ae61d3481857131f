"""The table, and whether the service keeps to its limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.service.clients import Seen

MIB = 1024 * 1024
MEMORY = 200
"""MiB that all clients together may take."""
STEP = 50
"""Milliseconds on the processor that one step of the loop may take."""

HEAD = (
    "clients", "s", "MiB/s", "MiB above base", "longest step, ms", "longest turn, ms",
    "latest beat, ms", "connections left",
)  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """A figure beside what it may be."""

    title: str
    figure: float
    limit: float
    unit: str = ""

    @property
    def met(self) -> bool:
        """Whether it is no more than that."""
        return self.figure <= self.limit

    def __str__(self) -> str:
        word = "met" if self.met else "MISSED"
        return f"{self.title}: {self.figure:.0f}{self.unit}, at most {self.limit:g}: {word}"


def grown(seen: Seen) -> float:
    """MiB above what there was before."""
    return (seen.after["peak"] - seen.before["memory"]) / MIB


def rows(all_seen: Iterable[Seen]) -> Iterator[Sequence[str]]:
    """A row for each crowd."""
    for seen in all_seen:
        whole = seen.crowd.leaves is None
        rate = seen.done["bytes"] * seen.done["good"] / MIB / seen.done["seconds"]
        yield (
            seen.crowd.name,
            f"{seen.done['seconds']:.1f}",
            f"{rate:.0f}" if whole else "",
            f"{grown(seen):.0f}",
            f"{seen.after['step'] * 1000:.0f}",
            f"{seen.after['busy'] * 1000:.0f}",
            f"{seen.after['late'] * 1000:.0f}",
            f"{seen.after['connections']:.0f}",
        )


def verdicts(all_seen: Sequence[Seen]) -> Iterator[Verdict]:
    """What is promised."""
    yield Verdict("memory above base", max(map(grown, all_seen)), MEMORY, " MiB")
    step = max(seen.after["step"] for seen in all_seen)
    yield Verdict("longest step of the loop", step * 1000, STEP, " ms")
    left = sum(seen.after["connections"] for seen in all_seen)
    yield Verdict("connections left in use", left, 0)
    failed = sum(seen.clients - seen.done["good"] for seen in all_seen)
    yield Verdict("clients that did not get what they wanted", failed, 0)
