"""The commands take turns, pair by pair and round by round."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.sync import peers, trees
from benchmarks.sync.places import Bucket, Database, Directory, Place, Weed
from benchmarks.sync.trees import Tree
from tests.services.process import S3Service

STAGES = ("first run", "nothing changed", "1 % changed")
TIMED = Path(__file__).with_name("timed.py")


@dataclass(frozen=True)
class Turn:
    """One run of one command: seconds, seconds on the processor, bytes of memory at most.

    Args:
        failure: What went wrong; empty where the target is what the source is.
    """

    seconds: float
    processor: float
    peak: int
    failure: str = ""


Cycle = dict[str, Turn]
"""One run of each stage."""


@dataclass
class Task:
    """One tree on its way from one kind of place to another."""

    tree: Tree
    pair: tuple[str, str]
    cycles: dict[str, list[Cycle]] = field(default_factory=dict)
    """Of each contender, round by round."""

    @property
    def name(self) -> str:
        """As in the tables."""
        return f"{self.tree.name}, {' to '.join(self.pair)}"


PAIRS = (
    ("directory", "S3"),
    ("S3", "directory"),
    ("S3", "S3"),
    ("directory", "SQLite"),
    ("directory", "directory"),
)


@dataclass
class Ground:
    """Where all this happens.

    Args:
        folder: For everything.
        service: The server; None where no pair needs one.
        programs: What is run, by the names of the contenders.
    """

    folder: Path
    service: S3Service | None
    programs: Mapping[str, str]
    count: int = 0

    def place(self, kind: str) -> Place:
        """A new place; it is not there yet."""
        self.count += 1
        if kind == Bucket.kind:
            assert self.service is not None
            return Bucket(self.service, f"benchmark-{self.count:04}")
        made = {Directory.kind: Directory, Database.kind: Database}[kind]
        return made(self.folder / f"target-{self.count:04}")

    def source(self, tree: Tree, kind: str, stack: ExitStack) -> Place:
        """A place that holds a tree: its directory, or a bucket."""
        if kind == Directory.kind:
            return Directory(tree.root)
        place = self.place(kind)
        place.make()
        stack.callback(place.remove)
        place.fill(tree, list(tree.lengths))
        return place

    def run(self, name: str, command: Sequence[str]) -> Turn:
        """One command."""
        told = peers.environment(self.folder, self.service)
        if name == "aws":
            told |= peers.settings_of_aws(self.folder)
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(TIMED), *command],
            capture_output=True, text=True, env=told, check=True,
        )  # fmt: skip
        code, seconds, processor, peak = done.stdout.split()
        failure = f"exit code {code}: {done.stderr[-500:]}" if int(code) else ""
        return Turn(float(seconds), float(processor), int(peak), failure)


def cycle(ground: Ground, name: str, tree: Tree, source: Place, target: Place) -> Cycle | None:
    """All stages of one contender with a target of its own; None where it cannot do that."""
    command = peers.PEERS[name].command(ground.programs[name], source, target)
    if command is None:
        return None
    turns: Cycle = {}
    target.make()
    try:
        for stage in STAGES:
            if stage == STAGES[-1]:
                source.fill(tree, tree.change())
            os.sync()  # what was written before is not to be paid for now
            turn = ground.run(name, command)
            held, wanted = target.holds(), (len(tree.lengths), tree.total)
            if held != wanted and not turn.failure:
                turn = Turn(turn.seconds, turn.processor, turn.peak, f"{held} and not {wanted}")
            turns[stage] = turn
    finally:
        target.remove()
    return turns


def take_turns(ground: Ground, task: Task, rounds: int, tell: Callable[[str], None]) -> None:
    """All rounds of one task."""
    with ExitStack() as stack:
        source = ground.source(task.tree, task.pair[0], stack)
        names = list(ground.programs)
        for _ in range(rounds):
            for name in names:
                target = ground.place(task.pair[1])
                turns = cycle(ground, name, task.tree, source, target)
                if turns is not None:
                    task.cycles.setdefault(name, []).append(turns)
                    tell(_line(name, turns))
            names.append(names.pop(0))  # nobody always comes first


def _line(name: str, turns: Cycle) -> str:
    figures = " ".join(f"{turn.seconds:7.2f} ({turn.processor:.2f})" for turn in turns.values())
    failures = [turn.failure for turn in turns.values() if turn.failure]
    return " ".join([f"{name:22}", figures, *failures[:1]])


def run(
    folder: Path,
    programs: Mapping[str, str],
    *,
    pairs: Sequence[tuple[str, str]] = PAIRS,
    objects: int = 5_000,
    large: int = 8,
    rounds: int = 5,
    tell: Callable[[str], None] = lambda line: None,
) -> Iterator[Task]:
    """Every tree between every pair of places.

    Args:
        folder: For trees, targets and what the server keeps.
        programs: What is run, by the names of the contenders.
        pairs: The kinds of the places.
        objects: How many small files; with 0 none are synchronised.
        large: How many large ones.
        rounds: How often; the large ones at most three times.
        tell: Called with a line for each turn.
    """
    made = []
    if objects:
        made.append((trees.small(folder, objects), rounds))
    if large:
        made.append((trees.large(folder, large), min(rounds, 3)))
    with ExitStack() as stack:
        service = None
        if any(Bucket.kind in pair for pair in pairs):
            weed = Weed(folder / "seaweedfs")
            weed.start()
            stack.callback(weed.kill)
            service = weed.service
        ground = Ground(folder, service, programs)
        for tree, times in made:
            for pair in pairs:
                task = Task(tree, pair)
                take_turns(ground, task, times, tell)
                yield task
