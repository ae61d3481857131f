"""``python -m benchmarks sync``: whole synchronisations, ours and others', in turns.

The exit code is 1 where ours takes more than it may.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import markdown
from benchmarks.sync import peers, race, report, scale

TMPFS = Path("/dev/shm")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tasks and print the tables."""
    options = _parser().parse_args(arguments)
    if options.only_scale:
        return scale.main(options.keys)
    programs = dict(options.command)
    tasks, missed = [], 0
    with tempfile.TemporaryDirectory(prefix="benchmarks-", dir=options.folder) as name:
        folder = Path(name)
        if options.install_aws:
            programs["aws"] = peers.install_aws(folder / "aws")
        for task in race.run(
            folder, peers.available(options.peer, programs),
            pairs=[pair for pair in race.PAIRS if _asked(pair, options.pair)],
            objects=options.objects, large=options.large, rounds=options.rounds,
            tell=lambda line: print(line, file=sys.stderr, flush=True),
        ):  # fmt: skip
            tasks.append(task)
            found = list(report.verdicts(task))
            missed += sum(not verdict.met for verdict in found)
            print(f"**{task.name}**\n", *report.details(task), "", sep="\n")
            print(*(f"- {verdict}" for verdict in found), "", sep="\n", flush=True)
    rounds = f"medians of {options.rounds} interleaved rounds"
    where = markdown.where("SeaweedFS on the same machine", f"files in {options.folder}", rounds)
    figures = [*report.summary(tasks), "", where]
    print(*figures, sep="\n")
    if options.readme is not None:
        markdown.write(options.readme, "sync-figures", figures)
    return 1 if missed else 0


def _asked(pair: tuple[str, str], wanted: Sequence[str]) -> bool:
    return not wanted or " to ".join(pair) in wanted


def _command(text: str) -> tuple[str, str]:
    name, _, program = text.partition("=")
    if name not in peers.PEERS or not shutil.which(program):
        raise argparse.ArgumentTypeError(f"{text} is not NAME=PROGRAM")
    return name, program


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks sync", description=__doc__)
    parser.add_argument("--objects", type=int, default=5_000, help="small files")
    parser.add_argument("--large", type=int, default=8, help="files of 256 MiB")
    parser.add_argument("--rounds", type=int, default=5, help="of the large ones at most 3")
    pairs = [" to ".join(pair) for pair in race.PAIRS]
    parser.add_argument("--pair", action="append", default=[], choices=pairs)
    parser.add_argument("--peer", action="append", default=[], choices=peers.PEERS)
    parser.add_argument(
        "--command", action="append", default=[], type=_command, metavar="NAME=PROGRAM",
        help="a peer that is somewhere else than on the PATH",
    )  # fmt: skip
    parser.add_argument(
        "--install-aws", action="store_true",
        help="get awscli into an environment of its own for this run",
    )  # fmt: skip
    parser.add_argument(
        "--folder", type=Path, default=TMPFS if TMPFS.is_dir() else tempfile.gettempdir(),
        help="where everything is written (default: memory, where there is /dev/shm)",
    )  # fmt: skip
    parser.add_argument("--readme", type=Path, help="where to put a table of all figures")
    parser.add_argument(
        "--only-scale", action="store_true", help="very many keys in memory, and nothing else"
    )
    parser.add_argument("--keys", type=int, nargs="+", default=scale.KEYS, help="how many")
    return parser


if __name__ == "__main__":
    sys.exit(main())
