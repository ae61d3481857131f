"""``python -m benchmarks [SUITE ...]``: what the layers cost beside what they are made of.

The exit code is 1 where something costs more than it may. ``python -m benchmarks local``, ``s3``
and ``sync`` compare whole processes, ``service`` measures one; they have options of their own.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from importlib import import_module
from pathlib import Path

from benchmarks import harness

SUITES = ("overhead", "transfer", "wire")
PROCESSES = ("local", "s3", "service", "sync")
TMPFS = Path("/dev/shm")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run suites and print a table for each race."""
    given = sys.argv[1:] if arguments is None else arguments
    if given and given[0] in PROCESSES:
        return int(import_module(f"benchmarks.{given[0]}.__main__").main(given[1:]))
    options = _parser().parse_args(given)
    suites = SUITES if "all" in options.suites else options.suites
    missed = 0
    with tempfile.TemporaryDirectory(prefix="benchmarks-", dir=options.folder) as folder:
        for race in _races(suites, Path(folder)):
            results = harness.run(race, seconds=options.seconds)
            print(*harness.table(race, results), sep="\n", end="\n\n", flush=True)
            if race.limit is not None:
                missed += not race.limit.met(results[race.limit.contender])
    return 1 if missed else 0


def _races(suites: Sequence[str], folder: Path) -> Iterator[harness.Race]:
    for name in suites:
        within = folder / name
        within.mkdir()
        with closing(import_module(f"benchmarks.{name}").races(within)) as races:
            yield from races


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("suites", nargs="*", choices=("all", *SUITES), default="all")
    parser.add_argument(
        "--folder",
        type=Path,
        default=TMPFS if TMPFS.is_dir() else None,
        help="where files are written (default: memory, where there is /dev/shm)",
    )
    parser.add_argument("--seconds", type=float, default=3, help="how long a race takes, about")
    return parser


if __name__ == "__main__":
    sys.exit(main())
