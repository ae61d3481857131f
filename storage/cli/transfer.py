"""The verbs on whole stores: sync, verify."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .._core.errors import SyncError
from .._registry import open_async_store
from .main import FAILED, OK, complain, one_line, run, shown
from .progress import Progress, readable

if TYPE_CHECKING:
    from .._async.base import AsyncBaseStore
    from .._async.transfer.report import SyncReport
    from .._async.transfer.verify import VerifyReport

SHOWN = 10
"""Failures and differences that are named; the others are counted."""


@click.command()
@click.option("--delete", is_flag=True, help="Also remove what SOURCE does not have; last.")
@click.option("--dry-run", is_flag=True, help="Change nothing; say what would be done.")
@click.option(
    "--transfers",
    type=click.IntRange(1, 1000),
    default=32,
    show_default=True,
    help="Objects in flight.",
)
@click.argument("source")
@click.argument("target")
def sync(source: str, target: str, delete: bool, dry_run: bool, transfers: int) -> int:
    """Make the contents of TARGET those of SOURCE."""
    stores = open_async_store(source), open_async_store(target)
    try:
        report = run(_sync(*stores, delete, dry_run, transfers))
    except SyncError as error:
        report = error.report
    _tell(report)
    return OK if report.complete else FAILED


async def _sync(
    source: AsyncBaseStore, target: AsyncBaseStore, delete: bool, dry_run: bool, transfers: int
) -> SyncReport:
    from .._async.transfer.sync import async_sync_stores

    async with source, target:
        with Progress("sync") as progress:
            return await async_sync_stores(
                source,
                target,
                delete,
                dry_run=dry_run,
                transfers=transfers,
                watcher=progress.watch,
            )


def _tell(report: SyncReport) -> None:
    for key, error in list(report.failures.items())[:SHOWN]:
        complain(f"{shown(key)}: {one_line(error)}")
    if report.failed > SHOWN:
        complain(f"and {report.failed - SHOWN} more failed")
    if report.deletes_refused:
        complain(f"nothing was deleted: {report.deletes_refused}")
    would = "would be " if report.dry_run else ""
    print(
        f"{report.copied} {would}copied ({readable(report.bytes_copied)}), "
        f"{report.identical} identical, {report.deleted} {would}deleted, {report.failed} failed"
    )


@click.command()
@click.argument("a")
@click.argument("b")
def verify(a: str, b: str) -> int:
    """Compare the keys and the bytes of two stores, changing neither."""
    report = run(_verify(open_async_store(a), open_async_store(b)))
    for key, what in list(report.examples.items())[:SHOWN]:
        print(f"{shown(key)}: {what}")
    if report.differences > SHOWN:
        print(f"and {report.differences - SHOWN} more")
    if report.same:
        print(f"identical: {report.identical} objects, every byte")
        return OK
    print(f"different: {report.differences} of {report.differences + report.identical} objects")
    return FAILED


async def _verify(a: AsyncBaseStore, b: AsyncBaseStore) -> VerifyReport:
    from .._async.transfer.verify import async_verify_stores

    async with a, b:
        return await async_verify_stores(a, b)
