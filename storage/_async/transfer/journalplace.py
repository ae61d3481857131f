"""Where a journal is that nobody named."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

from ..base import AsyncBaseStore
from .journal import identity
from .journalfile import SUFFIX


def usual_journal(source: AsyncBaseStore, target: AsyncBaseStore) -> Path | None:
    """Where the journal of two stores is, if nobody named it; may look into the file system.

    Returns:
        A file beside a target in the file system, else one where users keep such things. None
        where the two could not be known again, or where nothing can be written.
    """
    if lives_here(source) or lives_here(target):
        return None
    places = target._locations()
    service, where = places[0]
    if len(places) == 1 and service == "file" and where.strip("/"):
        here = Path(where)
        if os.access(_existing(here.parent), os.W_OK):
            return here.with_name(f".{here.name}{SUFFIX}")
    home = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "storage"
    if not os.access(_existing(home), os.W_OK):
        return None
    return home / f"{_digest(source, target)}{SUFFIX}"


def lives_here(store: AsyncBaseStore) -> bool:
    """Whether a store's objects are in the memory of this process, or it does not tell."""
    return any(service == "object" for service, _ in store._locations())


def _existing(folder: Path) -> Path:
    """The nearest folder above that exists."""
    return next(each for each in (folder, *folder.parents) if each.exists())


def _digest(source: AsyncBaseStore, target: AsyncBaseStore) -> str:
    return sha256(f"{identity(source)} {identity(target)}".encode()).hexdigest()[:32]
