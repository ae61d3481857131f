"""The verbs on a whole SQLite file: check, vacuum, upgrade."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from .._registry import open_async_store
from .main import FAILED, OK, run, shown
from .progress import readable

if TYPE_CHECKING:
    from ..aiodb import AsyncSqliteStore, CheckReport

DATABASE = click.argument("url")
SHOWN = 10
"""Problems that are named; the others are counted."""


def _database(url: str) -> AsyncSqliteStore:
    from ..aiodb import AsyncSqliteStore

    store = open_async_store(url)
    if not isinstance(store, AsyncSqliteStore):
        raise click.UsageError("That is for databases, such as sqlite:///srv/objects.sqlite.")
    return store


@click.command()
@DATABASE
def check(url: str) -> int:
    """Look through a whole database for what is damaged or missing."""
    report = run(_check(_database(url)))
    problems = [
        *report.damage,
        *(f"{shown(key)}: its bytes are not all there" for key in report.incomplete),
    ]
    for line in problems[:SHOWN]:
        print(line)
    if len(problems) > SHOWN:
        print(f"and {len(problems) - SHOWN} more")
    if report.orphans:
        print(f"values that belong to no object: {report.orphans}")
    what = f"{report.objects} objects ({readable(report.size)})"
    print(f"sound: {what}" if report.sound else f"not sound: {what}")
    return OK if report.sound else FAILED


async def _check(store: AsyncSqliteStore) -> CheckReport:
    async with store:
        return await store.check()


@click.command()
@DATABASE
def vacuum(url: str) -> None:
    """Give the room of what was deleted in a database back to the file system."""
    print(f"{readable(run(_vacuum(_database(url))))} freed")


async def _vacuum(store: AsyncSqliteStore) -> int:
    async with store:
        return await store.vacuum()


@click.command()
@DATABASE
def upgrade(url: str) -> None:
    """Make a database of amplify-storage-utils one that can be written.

    Keys and bytes stay. amplify-storage-utils cannot read it any more.
    """
    print("upgraded" if run(_upgrade(_database(url))) else "nothing to upgrade")


async def _upgrade(store: AsyncSqliteStore) -> bool:
    async with store:
        return await store.upgrade()
