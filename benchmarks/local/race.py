"""The stores take turns, verb by verb and round by round."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.local import contenders
from benchmarks.local.tasks import AT_ONCE, LARGE, LARGE_VERBS, MODES, SMALL_VERBS, Mode
from benchmarks.processes import Worker

Turn = Mapping[str, float]
"""Seconds, seconds on the processor, bytes of memory at most, and how many operations it was."""


@dataclass
class Table:
    """All figures of one mode.

    Args:
        mode: How it was done.
        objects: How many small objects there were.
        size: Bytes of the large one.
    """

    mode: Mode
    objects: int
    size: int
    turns: dict[tuple[str, str], list[Turn]] = field(default_factory=dict)
    """By contender and verb."""

    @property
    def names(self) -> list[str]:
        """Those that took part."""
        return list(dict.fromkeys(name for name, _ in self.turns))


def take_turns(table: Table, folder: Path, names: Sequence[str], verbs: Sequence[str],
               rounds: int) -> None:  # fmt: skip
    """All rounds of some verbs, in processes that do nothing else."""
    with ExitStack() as stack:
        workers = []
        for number, name in enumerate(names):
            own = folder / f"contender-{number}"
            own.mkdir()
            stack.callback(shutil.rmtree, own)
            workers.append(stack.enter_context(_worker(table, name, own)))
        for _ in range(rounds):
            for verb, part in _parts(table, verbs):
                for worker in workers:
                    if verb in worker.able:
                        turns = table.turns.setdefault((worker.name, verb), [])
                        turns.append(worker.do(f"{verb} {part}"))
                workers.append(workers.pop(0))  # nobody always comes first


def _parts(table: Table, verbs: Sequence[str]) -> Iterator[tuple[str, int]]:
    for verb in verbs:
        for part in range(1 if verb in AT_ONCE else -(-table.objects // table.mode.turn)):
            yield verb, part


def _worker(table: Table, name: str, folder: Path) -> Worker:
    mode = [str(int(table.mode.waits)), str(int(table.mode.durable))]
    sizes = [str(table.objects), str(table.size)]
    return Worker(name, ["benchmarks.local.worker", name, str(folder), *mode, *sizes])


def run(
    folders: Mapping[bool, Path],
    *,
    modes: Sequence[Mode] = MODES,
    names: tuple[str, ...] = (),
    objects: int = 5_000,
    size: int = LARGE,
    rounds: int = 7,
    tell: Callable[[str], None] = lambda line: None,
) -> Iterator[Table]:
    """All modes.

    Args:
        folders: Where files are written: what is durable, and what is not.
        modes: How it is done.
        names: Contenders; none are all.
        objects: How many small objects; a fifth of them where each waits for the disk.
        size: Of the large one; with 0 there is none.
        rounds: How often; the large one at most three times.
        tell: Called with the name of what begins.
    """
    for mode in modes:
        able = contenders.of(mode, names)
        table = Table(mode, objects // 5 if mode.durable else objects, size)
        tell(str(mode))
        take_turns(table, folders[mode.durable], able, SMALL_VERBS, rounds)
        if size:
            take_turns(table, folders[mode.durable], able, LARGE_VERBS, min(rounds, 3))
        yield table
