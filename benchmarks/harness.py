"""Races: contenders take turns in one process, so that a noisy machine is noisy for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from math import inf
from statistics import median
from time import monotonic, perf_counter
from timeit import Timer
from typing import Any

LEAST = 5
"""Turns that each contender has, however long they take."""


@dataclass(frozen=True)
class Limit:
    """What a contender may cost.

    Args:
        contender: Its name.
        ratio: At most so many times what the peer costs.
        extra: At most so many seconds more than the peer, for one operation.
    """

    contender: str
    ratio: float = inf
    extra: float = inf

    def __str__(self) -> str:
        if self.ratio < inf:
            return f"at most {self.ratio:g} times"
        return f"at most {readable(self.extra)} more"

    def met(self, result: Result) -> bool:
        """Whether a result keeps to it."""
        return result.ratio <= self.ratio and result.extra <= self.extra


@dataclass(frozen=True)
class Race:
    """Things that do the same.

    Args:
        title: What they do.
        contenders: Functions by name; all are compared with the first, the peer.
        operations: What is done in one call, for figures of one operation.
        clock: What is counted; time on the processor where nobody waits for anything, which a busy
            machine does not change.
        limit: What one of them may cost.
        absent: Peers that are not installed.
    """

    title: str
    contenders: Mapping[str, Callable[[], object]]
    operations: int = 1
    clock: Callable[[], float] = perf_counter
    limit: Limit | None = None
    absent: Sequence[str] = ()


@dataclass(frozen=True)
class Result:
    """Medians over all rounds; of ratios and differences within the rounds, not between them."""

    seconds: float
    ratio: float
    extra: float


def run(race: Race, *, seconds: float = 3, turn: float = 0.002) -> dict[str, Result]:
    """Let the contenders take turns.

    Args:
        race: What they do.
        seconds: How long; nobody has fewer than `LEAST` turns.
        turn: Seconds that one turn takes, at least. On a busy machine most turns go undisturbed
            where they are short, and the median is one of those.
    """
    names = list(race.contenders)
    timers = {name: Timer(call, timer=race.clock) for name, call in race.contenders.items()}
    calls = {name: _calls_for(timer, turn) for name, timer in timers.items()}
    times: dict[str, list[float]] = {name: [] for name in names}
    end = monotonic() + seconds
    while monotonic() < end or len(times[names[0]]) < LEAST:
        for name in names:
            spent = timers[name].timeit(calls[name])
            times[name].append(spent / calls[name] / race.operations)
        names.append(names.pop(0))  # nobody always comes first
    peer = times[next(iter(times))]
    return {name: _result(own, peer) for name, own in times.items()}


def _calls_for(timer: Timer, turn: float) -> int:
    calls = 1
    while timer.timeit(calls) < turn:
        calls *= 2
    return calls


def _result(own: list[float], peer: list[float]) -> Result:
    pairs = list(zip(own, peer, strict=True))
    return Result(median(own), median(a / b for a, b in pairs), median(a - b for a, b in pairs))


def table(race: Race, results: Mapping[str, Result]) -> Iterator[str]:
    """The lines that tell of a race."""
    yield f"{race.title:56}{'median':>10}{'ratio':>9}"
    for name, result in results.items():
        line = f"  {name:54}{readable(result.seconds):>10}{result.ratio:9.2f}"
        if race.limit is not None and race.limit.contender == name:
            line += f"  {race.limit}: {'met' if race.limit.met(result) else 'MISSED'}"
        yield line
    for name in race.absent:
        yield f"  {name} is not installed"


def readable(seconds: float) -> str:
    """A time with three digits and a unit."""
    for unit, factor in (("ns", 1e9), ("us", 1e6), ("ms", 1e3)):
        if seconds * factor < 999.5:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds:.3g} s"


def installed(name: str) -> Any:
    """A module that may be missing: then None."""
    try:
        return import_module(name)
    except ImportError:
        return None
