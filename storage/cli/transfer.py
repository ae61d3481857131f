"""The verbs on whole stores: sync, plan, apply, verify."""

from __future__ import annotations

import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .._registry import open_async_store
from . import choices
from .main import FAILED, OK, run, shown

if TYPE_CHECKING:
    from .._async.base import AsyncBaseStore
    from .._async.transfer.plan import SyncPlan
    from .._async.transfer.verify import VerifyReport
    from .ends import Ends
    from .sums import Teller

SHOWN = 10
"""Differences that are named; the others are counted."""
MEANING = {"bytes": "every byte", "checksum": "by digests or bytes", "size": "by length"}


@click.command()
@click.option("--delete", is_flag=True, help="Also remove what SOURCE does not have; last.")
@click.option("--dry-run", is_flag=True, help="Change nothing; say what would be done.")
@choices.comparing
@choices.selecting
@choices.transferring
@choices.remembering
@choices.telling
@click.argument("source")
@click.argument("target")
def sync(source: str, target: str, delete: bool, dry_run: bool, **words: Any) -> int:
    """Make the contents of TARGET those of SOURCE.

    What was the same is remembered in a file beside a local TARGET, or else in
    ~/.local/state/storage, so that the next run reads nothing to find that out.
    """
    from .ends import Ends
    from .sums import Teller

    teller = Teller("sync", words, dry_run=dry_run)
    ends = Ends(source, target, words, make_journal=not dry_run)
    options = {"delete": delete, "dry_run": dry_run, **choices.take_choice(words), **words}

    async def work() -> None:
        async with ends.running(options, teller.listener) as task, teller.progress(task.report):
            await task.sync()

    return _done(work(), ends, teller)


@click.command()
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="The file.")
@click.option("--delete", is_flag=True, help="Also remove what SOURCE does not have.")
@choices.comparing
@choices.selecting
@choices.TRANSFERS
@choices.remembering
@click.argument("source")
@click.argument("target")
def plan(source: str, target: str, output: Path | None, delete: bool, **words: Any) -> int:
    """Write down what a sync would do, as lines of JSON, and do none of it."""
    from .ends import Ends

    ends = Ends(source, target, words, make_journal=False)
    chosen = {**choices.take_choice(words), "delete": delete}
    options = {"dry_run": True, "max_delete": None, **chosen, **words}
    header = {**ends.header(), "compare": chosen["compare"], "delete": delete}
    if output is None:
        return _plan_to_standard_output(ends, options, header)
    partial = output.with_name(f"{output.name}.partial")
    try:
        made = run(_written(ends, options, partial, header))
        partial.replace(output)
    finally:
        partial.unlink(missing_ok=True)
    _tell_plan(made)
    return OK


def _plan_to_standard_output(ends: Ends, options: dict[str, Any], header: dict[str, Any]) -> int:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        path = Path(folder) / "plan"
        made = run(_written(ends, options, path, header))
        for line in made.lines():
            sys.stdout.write(line)
    return OK


async def _written(
    ends: Ends, options: dict[str, Any], path: Path, header: dict[str, Any]
) -> SyncPlan:
    from .._async.transfer.plan import PlanWriter

    async with ends.running(options) as task:
        writer = PlanWriter(path, header)
        try:
            return await task.plan(writer)
        finally:
            await writer.aclose()


def _tell_plan(made: SyncPlan) -> None:
    from .main import complain
    from .progress import readable

    counts = made.counts
    for doubt in counts.get("doubts", ()):
        complain(f"nothing will be deleted: {doubt}")
    unsure = f", {counts['compare']} to compare again" if counts["compare"] else ""
    print(
        f"{counts['copy']} to copy ({readable(counts['bytes'])}), "
        f"{counts['delete']} to delete{unsure}, {counts['identical']} identical"
    )


@click.command()
@choices.transferring
@choices.remembering
@choices.telling
@click.option("--other-stores", is_flag=True, help="Also to stores that it was not made for.")
@click.argument("plan", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("source", required=False)
@click.argument("target", required=False)
def apply(
    plan: Path, source: str | None, target: str | None, other_stores: bool, **words: Any
) -> int:
    """Do what PLAN says; what has changed since then is left alone.

    SOURCE and TARGET are those of the plan. They are named where it does not hold their secrets, or
    where they are reached in another way by now.
    """
    from .._async.transfer.plan import read_plan
    from .ends import Ends, take_ends
    from .sums import Teller

    teller = Teller("apply", words)
    made = read_plan(plan)
    ends = Ends(*take_ends(made.header, source, target), words, make_journal=True)
    options = {"delete": bool(made.header.get("delete")), **words}

    async def work() -> None:
        running = ends.running(options, teller.listener, listed=False)
        async with running as task, teller.progress(task.report):
            await task.apply(made, other_stores=other_stores)

    return _done(work(), ends, teller)


def _done(work: Coroutine[Any, Any, None], ends: Ends, teller: Teller) -> int:
    """Do the work of a run, and say what came of it, also when it is interrupted."""
    try:
        run(work)
    except KeyboardInterrupt:
        from .sums import brief

        if ends.report is None:
            raise
        raise KeyboardInterrupt(f"{brief(ends.report)}; run it again to go on") from None
    except Exception:
        if ends.report is not None:
            ends.report.interrupted = True
            if ends.report.listed:  # something may have been done until then
                teller.sum_up(ends.report)
        raise
    assert ends.report is not None
    return teller.sum_up(ends.report)


@click.command()
@click.option("--checksum", is_flag=True, help="Read only what no strong digests tell.")
@click.option("--size-only", is_flag=True, help="Compare keys and lengths.")
@choices.TRANSFERS
@click.argument("a")
@click.argument("b")
def verify(a: str, b: str, checksum: bool, size_only: bool, transfers: int) -> int:
    """Compare the keys and the bytes of two stores, changing neither."""
    if checksum and size_only:
        raise click.UsageError("There is one way to compare, and two are given.")
    how = "checksum" if checksum else "size" if size_only else "bytes"
    report = run(_verify(open_async_store(a), open_async_store(b), how, transfers))
    for key, what in list(report.examples.items())[:SHOWN]:
        print(f"{shown(key)}: {what}")
    if report.differences > SHOWN:
        print(f"and {report.differences - SHOWN} more")
    if report.same:
        print(f"identical: {report.identical} objects, {MEANING[how]}")
        return OK
    print(f"different: {report.differences} of {report.differences + report.identical} objects")
    return FAILED


async def _verify(a: AsyncBaseStore, b: AsyncBaseStore, how: Any, transfers: int) -> VerifyReport:
    from .._async.transfer.verify import async_verify_stores

    async with a, b:
        return await async_verify_stores(a, b, compare=how, transfers=transfers)
