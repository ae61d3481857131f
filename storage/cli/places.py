"""Where things go that nobody named: journals, and URLs in plans."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from .._async.base import AsyncBaseStore

MASK = "***"
_HIDDEN = r"([?&][^=&]*(?:key|secret|password|token)[^=&]*=)[^&#]+"


def take_journal(
    words: dict[str, Any], *, make: bool
) -> Callable[[AsyncBaseStore, AsyncBaseStore], Path | None]:
    """What tells the journal of a source and a target: the one that options name, or the usual one.

    Args:
        words: The options, which are taken out of them.
        make: Whether there may be a new one.

    Returns:
        A function that may look into the file system; it gives None where there is to be none.
    """
    named, none = words.pop("journal"), words.pop("no_journal")
    if named and none:
        raise click.UsageError("--journal and --no-journal are both given.")

    def journal_of(source: AsyncBaseStore, target: AsyncBaseStore) -> Path | None:
        from .._async.transfer.journalplace import usual_journal

        path = None if none else Path(named) if named else usual_journal(source, target)
        return path if path is not None and (make or path.exists()) else None

    return journal_of


def without_secrets(url: str) -> str:
    """A store's URL as it may stand in a file; a path becomes an absolute one."""
    if "://" not in url:
        return os.path.abspath(url)
    url = re.sub(r"(://[^/?#@]*:)[^/?#]*@", rf"\1{MASK}@", url)
    return re.sub(_HIDDEN, rf"\1{MASK}", url, flags=re.IGNORECASE)
