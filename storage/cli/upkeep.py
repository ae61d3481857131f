"""The verbs on a whole store.

Of a database or an archive check and vacuum, of a database upgrade; of files sweep and rehash.
"""

from __future__ import annotations

import re
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
STORE = click.argument("store")
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


_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


def _age(context: click.Context, option: click.Parameter, text: str) -> float:
    """Seconds, of a number with or without a unit."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text)
    if found is None:
        raise click.BadParameter(f"{text!r} is no age such as 90, 30m, 12h or 7d.")
    return float(found[1]) * _UNITS[found[2]]


@click.command()
@STORE
@click.option(
    "--older-than",
    callback=_age,
    metavar="AGE",
    default="1d",
    show_default=True,
    help="Seconds since the last write, or a number with m, h or d.",
)
def sweep(store: str, older_than: float) -> None:
    """Remove what killed writers have left behind in a directory, and objects that are over.

    What somebody is still writing stays, however old it is.
    """
    print(f"{run(_sweep(store, older_than))} removed")


async def _sweep(url: str, older_than: float) -> int:
    from .._async.backends._files.store import AsyncFileTreeStore

    async with open_async_store(url) as store:
        if not isinstance(store, AsyncFileTreeStore):
            raise click.UsageError("That is for directories, such as file:///srv/objects.")
        return await store.sweep(older_than=older_than)


@click.command()
@STORE
@click.option("--width", type=int, required=True, help="Characters that name a directory.")
@click.option("--depth", type=int, required=True, help="Directories on the way to an object.")
def rehash(store: str, width: int, depth: int) -> None:
    """Move the objects of a hashed directory to where another width and depth have them.

    If it is interrupted, run it again. From its beginning on, the store is to be opened with the
    new width and depth; what they do not find yet is where the old ones have it.
    """
    print(f"{run(_rehash(store, width, depth))} moved")


async def _rehash(url: str, width: int, depth: int) -> int:
    from ..aiofs import AsyncHashdirStore

    async with open_async_store(url) as store:
        if not isinstance(store, AsyncHashdirStore):
            raise click.UsageError(
                "That is for hashed directories, such as hashdir:///srv/objects."
            )
        return await store.rehash(width, depth)
