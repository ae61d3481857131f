"""The verbs on a whole SQLite file or zip archive: check, vacuum, upgrade."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, Union

import click

from .._registry import open_async_store
from .main import FAILED, OK, run, shown
from .progress import readable

if TYPE_CHECKING:
    from ..aiodb import AsyncSqliteStore, CheckReport
    from ..zip import AsyncZipStore, ZipCheckReport

Whole: TypeAlias = Union["AsyncSqliteStore", "AsyncZipStore"]
"""A store in one file."""
URL = click.argument("url")
SHOWN = 10
"""Problems that are named; the others are counted."""


def _whole(url: str) -> Whole:
    from ..aiodb import AsyncSqliteStore
    from ..zip import AsyncZipStore

    store = open_async_store(url)
    if not isinstance(store, (AsyncSqliteStore, AsyncZipStore)):
        raise click.UsageError(
            "That is for databases and archives, such as sqlite:///srv/objects.sqlite."
        )
    return store


def _database(url: str) -> AsyncSqliteStore:
    from ..aiodb import AsyncSqliteStore

    store = open_async_store(url)
    if not isinstance(store, AsyncSqliteStore):
        raise click.UsageError("That is for databases, such as sqlite:///srv/objects.sqlite.")
    return store


@click.command()
@URL
def check(url: str) -> int:
    """Look through a whole database or archive for what is damaged or missing."""
    report = run(_check(_whole(url)))
    problems, remarks = _told(report)
    for line in problems[:SHOWN]:
        print(line)
    if len(problems) > SHOWN:
        print(f"and {len(problems) - SHOWN} more")
    for line in remarks:
        print(line)
    what = f"{report.objects} objects ({readable(report.size)})"
    print(f"sound: {what}" if report.sound else f"not sound: {what}")
    return OK if report.sound else FAILED


async def _check(store: Whole) -> CheckReport | ZipCheckReport:
    async with store:
        return await store.check()


def _told(report: CheckReport | ZipCheckReport) -> tuple[list[str], list[str]]:
    """What is wrong, and what else is to be said."""
    from ..zip import ZipCheckReport

    if isinstance(report, ZipCheckReport):
        damaged = [f"{shown(key)}: damaged" for key in report.damaged]
        return damaged, [f"{shown(key)}: cannot be read here" for key in report.unread[:SHOWN]]
    incomplete = [f"{shown(key)}: its bytes are not all there" for key in report.incomplete]
    orphans = f"values that belong to no object: {report.orphans}"
    return [*report.damage, *incomplete], [orphans] if report.orphans else []


@click.command()
@URL
def vacuum(url: str) -> None:
    """Give the room of what was deleted in a database or archive back to the file system."""
    print(f"{readable(run(_vacuum(_whole(url))))} freed")


async def _vacuum(store: Whole) -> int:
    async with store:
        return await store.vacuum()


@click.command()
@URL
def upgrade(url: str) -> None:
    """Make a database of amplify-storage-utils one that can be written.

    Keys and bytes stay. amplify-storage-utils cannot read it any more.
    """
    print("upgraded" if run(_upgrade(_database(url))) else "nothing to upgrade")


async def _upgrade(store: AsyncSqliteStore) -> bool:
    async with store:
        return await store.upgrade()
