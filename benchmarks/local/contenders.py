"""All contenders by name, with what everything is made of."""

from __future__ import annotations

from importlib.util import find_spec

from benchmarks.local import databases, files
from benchmarks.local.contender import Contender
from benchmarks.local.stores import AsyncOurs, Ours, ours
from benchmarks.local.tasks import Mode

PLAIN, ONE_WRITER = "plain files", "plain files, one writer"
THREADS, BY_HAND = "a thread per operation", "sqlite3 by hand"

BLOCKING: dict[str, type[Contender]] = {
    PLAIN: files.ByHand,
    ONE_WRITER: files.OneWriter,
    **ours(Ours),
    "obstore": files.Obstore,
    "fsspec": files.Fsspec,
    "minimalkv": files.Minimalkv,
    "zipfile": files.Zipfile,
    BY_HAND: databases.Sqlite,
    "diskcache": databases.Diskcache,
    "shelve": databases.Shelve,
    "sqlitedict": databases.Sqlitedict,
}
ASYNC: dict[str, type[Contender]] = {
    THREADS: files.InThreads,
    **ours(AsyncOurs),
    "obstore": files.AsyncObstore,
    BY_HAND: databases.Sqlite,  # blocking, to compare with
}


def of(mode: Mode, wanted: tuple[str, ...] = ()) -> list[str]:
    """The names of those that can do it so, and are installed."""
    chosen = BLOCKING if mode.waits else ASYNC
    return [
        name
        for name, kind in chosen.items()
        if mode.durable in kind.durable and find_spec(kind.needs) and (not wanted or name in wanted)
    ]
