"""The verbs on whole stores: sync, verify."""

from __future__ import annotations

import asyncio

import click

from .._registry import open_async_store
from ..aioutils import SyncReport, VerifyReport, async_sync_stores, async_verify_stores
from ..object import SyncError
from .main import FAILED, OK, complain, one_line, shown
from .progress import Progress, readable

SHOWN = 10
"""Failures and differences that are named; the others are counted."""


@click.command()
@click.option("--delete", is_flag=True, help="Also remove what SOURCE does not have; last.")
@click.option("--dry-run", is_flag=True, help="Change nothing; say what would be done.")
@click.option("--transfers", default=32, show_default=True, help="Objects in flight.")
@click.argument("source")
@click.argument("target")
def sync(source: str, target: str, delete: bool, dry_run: bool, transfers: int) -> int:
    """Make the contents of TARGET those of SOURCE."""
    try:
        report = asyncio.run(_sync(source, target, delete, dry_run, transfers))
    except SyncError as error:
        report = error.report
    _tell(report)
    return OK if report.complete else FAILED


async def _sync(
    source_url: str, target_url: str, delete: bool, dry_run: bool, transfers: int
) -> SyncReport:
    source, target = open_async_store(source_url), open_async_store(target_url)
    with Progress("sync") as progress:
        async with source, target:
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
    click.echo(
        f"{report.copied} {would}copied ({readable(report.bytes_copied)}), "
        f"{report.identical} identical, {report.deleted} {would}deleted, {report.failed} failed"
    )


@click.command()
@click.argument("a")
@click.argument("b")
def verify(a: str, b: str) -> int:
    """Compare the keys and the bytes of two stores, changing neither."""
    report = asyncio.run(_verify(a, b))
    for key, what in list(report.examples.items())[:SHOWN]:
        complain(f"{shown(key)}: {what}")
    if report.differences > SHOWN:
        complain(f"and {report.differences - SHOWN} more differ")
    if report.same:
        click.echo(f"identical: {report.identical} objects, every byte")
        return OK
    click.echo(
        f"different: {report.differences} of {report.differences + report.identical} objects"
    )
    return FAILED


async def _verify(a_url: str, b_url: str) -> VerifyReport:
    async with open_async_store(a_url) as a, open_async_store(b_url) as b:
        return await async_verify_stores(a, b)
