"""Tables of medians, and what our stores are judged by: ratios within the rounds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import median

from benchmarks import markdown
from benchmarks.local.contenders import BY_HAND, ONE_WRITER, PLAIN, THREADS
from benchmarks.local.race import Table
from benchmarks.local.tasks import LARGE_VERBS, MIB, SMALL_VERBS, Mode

HEAD = ("us (on the processor)", *SMALL_VERBS, "write MB/s", "read MB/s", "peak MiB")


@dataclass(frozen=True)
class Limit:
    """What one of ours may take, at most so many times what another takes.

    Args:
        mode: How.
        verb: Doing what.
        store: Ours.
        peer: The other.
        ratio: At most so many times.
    """

    mode: Mode
    verb: str
    store: str
    peer: str
    ratio: float

    def found(self, table: Table, field: str = "seconds") -> float | None:
        """How many times it is; None where not both took part."""
        own = table.turns.get((self.store, self.verb))
        other = table.turns.get((self.peer, self.verb))
        if table.mode != self.mode or not own or not other:
            return None
        return median(a[field] / b[field] for a, b in zip(own, other, strict=True))


BLOCKING, IN_FLIGHT = Mode(True, False), Mode(False, False)
FILES, DATABASE = "FilesystemStore", "SqliteStore"
LIMITS = (
    Limit(BLOCKING, "get", FILES, PLAIN, 2),
    Limit(BLOCKING, "get", FILES, "obstore", 1),
    Limit(BLOCKING, "get", FILES, "fsspec", 1),
    Limit(BLOCKING, "get", FILES, "minimalkv", 1),
    Limit(IN_FLIGHT, "get", FILES, "obstore", 1 / 3),
    Limit(IN_FLIGHT, "get", FILES, THREADS, 1 / 2),
    Limit(BLOCKING, "put", FILES, PLAIN, 1.1),
    Limit(BLOCKING, "put", FILES, ONE_WRITER, 1.5),
    Limit(IN_FLIGHT, "put", FILES, THREADS, 1),
    Limit(BLOCKING, "get", DATABASE, BY_HAND, 2),
    Limit(BLOCKING, "get", DATABASE, "sqlitedict", 1),
    Limit(Mode(False, True), "put", DATABASE, BY_HAND, 1 / 4),
)


def each(table: Table, name: str, verb: str, field: str) -> float:
    """Microseconds of one operation: the median."""
    return median(turn[field] / turn["count"] for turn in table.turns[name, verb]) * 1e6


def cell(table: Table, name: str, verb: str) -> str:
    """Microseconds of one operation, and in brackets those on the processor."""
    if (name, verb) not in table.turns:
        return "-"
    found = [each(table, name, verb, field) for field in ("seconds", "cpu")]
    if verb in LARGE_VERBS:
        return f"{table.size / found[0]:,.0f}"
    return f"{found[0]:,.3g} ({found[1]:,.3g})"


def peak(table: Table, name: str) -> str:
    """MiB at most, with the large object."""
    turns = [turn for verb in LARGE_VERBS for turn in table.turns.get((name, verb), ())]
    return f"{max(turn['peak'] for turn in turns) / MIB:,.0f}" if turns else "-"


def details(table: Table) -> Iterator[str]:
    """A line for each contender."""
    verbs = (*SMALL_VERBS, *LARGE_VERBS)
    lines = [
        [name, *(cell(table, name, verb) for verb in verbs), peak(table, name)]
        for name in table.names
    ]
    yield from markdown.table(HEAD, lines)


@dataclass(frozen=True)
class Verdict:
    """A limit, and what was found."""

    limit: Limit
    ratio: float
    processor: float

    @property
    def met(self) -> bool:
        """Whether ours keeps to it; by the clock, not by the time on the processor."""
        return self.ratio <= self.limit.ratio

    def __str__(self) -> str:
        limit, word = self.limit, "met" if self.met else "MISSED"
        return (
            f"{limit.verb}, {limit.mode}: {limit.store} takes {self.ratio:.2f} times what "
            f"{limit.peer} does (at most {limit.ratio:.2g}; on the processor "
            f"{self.processor:.2f}): {word}"
        )


def verdicts(table: Table, limits: Iterable[Limit] = LIMITS) -> Iterator[Verdict]:
    """What ours is judged by, and how it does."""
    for limit in limits:
        ratio, processor = limit.found(table), limit.found(table, "cpu")
        if ratio is not None and processor is not None:
            yield Verdict(limit, ratio, processor)
