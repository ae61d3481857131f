"""The stores that a verb is about, by their URLs, and all that goes with them."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import click

from .._core import calls
from .._core.errors import ConfigError
from .._registry import open_async_store
from .places import MASK, take_journal, without_secrets

if TYPE_CHECKING:
    from .._async.base import AsyncBaseStore
    from .._async.transfer.listing import Listing
    from .._async.transfer.report import SyncReport, Tell
    from .._async.transfer.running import Run

SOURCE, TARGET = 0, 1


class Ends:
    """A source, a target, perhaps a backup.

    Args:
        source: The URL of one end.
        target: That of the other.
        words: Options; those on journals, the backup and workers are taken out of them.
        make_journal: Whether there may be a new journal.
    """

    def __init__(
        self, source: str, target: str, words: dict[str, Any], *, make_journal: bool
    ) -> None:
        self.urls = source, target
        self._backup: str | None = words.pop("backup", None)
        self.report: SyncReport | None = None
        """Of the run, as soon as there is one."""
        self._workers: int = words.pop("workers", 1)
        self._journal_of = take_journal(words, make=make_journal)

    @asynccontextmanager
    async def running(
        self, options: Mapping[str, Any], tell: Tell | None = None, *, listed: bool = True
    ) -> AsyncIterator[Run]:
        """What does the work, in this process or with others, while the stores are open.

        Args:
            options: The arguments of `SyncOptions`, less the journal and the backup.
            tell: Is told of events.
            listed: Whether to begin to list each end as soon as it is open. A server then works on
                it while all else is loaded here, which takes longer than many a run.
        """
        async with AsyncExitStack() as stack:
            ends, listings = await self._open_ends(stack, options if listed else None)
            backup = None if self._backup is None else await _open(stack, self._backup)
            given = {**options, "backup": backup}
            run = await calls.call(self._made, *ends, given, tell, listings)
            self.report = run.report
            yield run

    async def _open_ends(
        self, stack: AsyncExitStack, options: Mapping[str, Any] | None
    ) -> tuple[tuple[AsyncBaseStore, AsyncBaseStore], tuple[Listing, Listing] | None]:
        stores: dict[int, AsyncBaseStore] = {}
        begun: dict[int, Listing] = {}
        # What is far away comes first: it has the most to wait for.
        for end in sorted((SOURCE, TARGET), key=lambda end: "://" not in self.urls[end]):
            stores[end] = await _open(stack, self.urls[end])
            if options is not None:
                begun[end] = await _begun(stack, end, stores[end], options)
        listings = None if options is None else (begun[SOURCE], begun[TARGET])
        return (stores[SOURCE], stores[TARGET]), listings

    def _made(
        self,
        source: AsyncBaseStore,
        target: AsyncBaseStore,
        given: dict[str, Any],
        tell: Tell | None,
        listings: tuple[Listing, Listing] | None,
    ) -> Run:
        from .._async.transfer.options import SyncOptions
        from .._async.transfer.running import Run

        options = SyncOptions(**given, journal=self._journal_of(source, target))
        if self._workers == 1:
            return Run(source, target, options, tell, listings)
        from .._async.base import AsyncBaseStore
        from .._async.transfer.journalplace import lives_here
        from .fleet import FleetRun, Urls

        for store in (source, target, options.backup):
            if isinstance(store, AsyncBaseStore) and lives_here(store):
                raise ConfigError(f"no other process can open {store!r}: leave out --workers")
        urls = Urls(*self.urls, self._backup)
        return FleetRun(source, target, options, tell, listings, urls=urls, workers=self._workers)

    def header(self) -> dict[str, Any]:
        """What a plan says of its ends."""
        source, target = map(without_secrets, self.urls)
        return {"source": source, "target": target, "urls": True, "directory": os.getcwd()}


async def _open(stack: AsyncExitStack, url: str) -> AsyncBaseStore:
    return await stack.enter_async_context(await calls.call(open_async_store, url))


async def _begun(
    stack: AsyncExitStack, end: int, store: AsyncBaseStore, options: Mapping[str, Any]
) -> Listing:
    from .._async.transfer.listing import source_listing, target_listing

    listing = (source_listing, target_listing)[end](store, options.get("selection"))
    stack.push_async_callback(listing.aclose)
    await listing.begin()
    return listing


def take_ends(header: dict[str, Any], source: str | None, target: str | None) -> tuple[str, str]:
    """The URLs of a plan's ends: those that are given, or else those that it has itself."""
    if source is not None and target is not None:
        return source, target
    if source is not None:
        raise click.UsageError("Name SOURCE and TARGET, or neither.")
    ends = str(header.get("source", "")), str(header.get("target", ""))
    if not header.get("urls"):
        raise ConfigError("the plan does not say where its stores are: name SOURCE and TARGET")
    if any(MASK in end for end in ends):
        raise ConfigError("the plan does not hold its stores' secrets: name SOURCE and TARGET")
    if any("://" in end for end in ends) and header.get("directory") != os.getcwd():
        raise ConfigError(
            f"the plan was made in {header.get('directory')}: go there, or name SOURCE and TARGET"
        )
    return ends
