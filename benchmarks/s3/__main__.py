"""``python -m benchmarks s3``: a Markdown table for each thing that clients of S3 do."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import markdown
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
            lines = markdown.table(report.HEAD, report.rows(task, turns))
            print(*lines, "", sep="\n", flush=True)
    server = "SeaweedFS on the same machine"
    where = markdown.where(server, f"medians of {options.rounds} interleaved rounds")
    figures = [*report.summary(found), "", where]
    print(*figures, sep="\n")
    if options.readme is not None:
        markdown.write(options.readme, "s3-figures", figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
