"""``python -m benchmarks local``: stores on this machine, ours and others', in turns.

The exit code is 1 where one of ours takes more than it may.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks import markdown
from benchmarks.local import race, report
from benchmarks.local.tasks import LARGE, MIB, MODES

TMPFS = Path("/dev/shm")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all modes and print the tables."""
    options = _parser().parse_args(arguments)
    figures, missed = [], 0
    with ExitStack() as stack:
        places = {False: options.folder, True: options.disk}
        folders = {
            durable: Path(stack.enter_context(tempfile.TemporaryDirectory(dir=place)))
            for durable, place in places.items()
        }
        for table in race.run(
            folders, modes=[mode for mode in MODES if options.mode in str(mode)],
            names=tuple(options.store), objects=options.objects, size=options.size * MIB,
            rounds=options.rounds, tell=lambda line: print(line, file=sys.stderr),
        ):  # fmt: skip
            found = list(report.verdicts(table))
            missed += sum(not verdict.met for verdict in found)
            lines = [f"**{str(table.mode).capitalize()}:**", "", *report.details(table), ""]
            print(*lines, *(f"- {verdict}" for verdict in found), "", sep="\n")
            sys.stdout.flush()
            figures += lines
    figures.append(_where(options))
    print(figures[-1])
    if options.readme is not None:
        markdown.write(options.readme, "local-figures", figures)
    return 1 if missed else 0


def _where(options: argparse.Namespace) -> str:
    return markdown.where(
        f"{options.objects:,} objects of 4 KiB (durable: a fifth of them) and one of "
        f"{options.size} MiB",
        f"files in {options.folder}, durable ones in {options.disk}",
        f"medians of {options.rounds} interleaved rounds",
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks local", description=__doc__)
    parser.add_argument("--mode", default="", help="a part of a mode's name")
    parser.add_argument("--store", action="append", default=[], help="a contender's name")
    parser.add_argument("--objects", type=int, default=5_000, help="of 4 KiB")
    parser.add_argument("--size", type=int, default=LARGE // MIB, help="MiB of the large object")
    parser.add_argument("--rounds", type=int, default=7, help="of the large one at most 3")
    temporary = tempfile.gettempdir()
    parser.add_argument(
        "--folder", type=Path, default=TMPFS if TMPFS.is_dir() else temporary,
        help="where files are written (default: memory, where there is /dev/shm)",
    )  # fmt: skip
    parser.add_argument(
        "--disk", type=Path, default=temporary, help="where durable ones are written"
    )
    parser.add_argument("--readme", type=Path, help="where to put the tables")
    return parser


if __name__ == "__main__":
    sys.exit(main())
