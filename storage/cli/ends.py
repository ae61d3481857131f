"""The stores that a verb is about, by their URLs, and all that goes with them."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, TypeVar

import click

from .._core.errors import ConfigError
from .._registry import open_async_store
from .places import MASK, take_journal, without_secrets

if TYPE_CHECKING:
    from .._async.transfer.options import SyncOptions
    from .._async.transfer.report import Tell
    from .._async.transfer.running import Run

T = TypeVar("T")


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
        self.backup_url: str | None = words.pop("backup", None)
        self._workers: int = words.pop("workers", 1)
        self.source, self.target = open_async_store(source), open_async_store(target)
        backup = None if self.backup_url is None else open_async_store(self.backup_url)
        self._stores = [store for store in (self.source, self.target, backup) if store is not None]
        journal = take_journal(words, self.source, self.target, make=make_journal)
        self.arguments: dict[str, Any] = {"backup": backup, "journal": journal}

    def run(self, options: SyncOptions, tell: Tell | None = None) -> Run:
        """What does the work, in this process or with others."""
        if self._workers > 1:
            from .._async.transfer.journalplace import lives_here
            from .fleet import FleetRun

            for store in self._stores:
                if lives_here(store):
                    raise ConfigError(f"no other process can open {store!r}: leave out --workers")
            return FleetRun(self, options, tell, self._workers)
        from .._async.transfer.running import Run

        return Run(self.source, self.target, options, tell)

    async def within(self, work: Callable[[], Awaitable[T]]) -> T:
        """What some work returns that needs the stores open."""
        async with AsyncExitStack() as stack:
            for store in self._stores:
                await stack.enter_async_context(store)
            return await work()

    def header(self) -> dict[str, Any]:
        """What a plan says of its ends."""
        source, target = map(without_secrets, self.urls)
        return {"source": source, "target": target, "urls": True, "directory": os.getcwd()}


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
