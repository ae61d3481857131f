"""``python -m benchmarks s3``: a Markdown table for each thing that clients of S3 do."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.s3 import report
from benchmarks.s3.race import run


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tasks and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks s3", description=__doc__)
    parser.add_argument("--task", action="append", default=[], help="a part of a task's name")
    parser.add_argument("--peer", action="append", default=[], help="a client's name")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where the server keeps its objects")
    parser.add_argument("--readme", type=Path, help="where to put a table of all figures")
    options = parser.parse_args(arguments)
    found = {}
    with tempfile.TemporaryDirectory(prefix="benchmarks-", dir=options.folder) as folder:
        chosen = {"tasks": options.task, "peers": options.peer, "rounds": options.rounds}
        for task, turns in run(Path(folder), **chosen):
            found[task] = turns
            print(f"**{task.name}**\n")
            print(*report.table(report.HEAD, report.rows(task, turns)), "", sep="\n", flush=True)
    names = list(dict.fromkeys(name for turns in found.values() for name in turns))
    lines = [*report.summary(found, names), "", f"{report.where(options.rounds)}."]
    print(*lines, sep="\n")
    if options.readme is not None:
        report.write(options.readme, lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
