"""Puts of a group that replace nothing, as a rule: two statements for all of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from time import time_ns

from ...._core.errors import NoSpace
from ...._core.info import ObjectInfo
from .jobs import Job
from .objects import CHUNK, PUBLISH_NEW, Row, find, new_version, put, replace
from .room import Connection, check_room

_ADD = "INSERT INTO chunks VALUES (?, 0, ?)"


def runs(jobs: Sequence[Job]) -> Iterator[tuple[bool, Sequence[Job]]]:
    """The jobs in their order, with whether they are puts that may go together."""
    start, plain = 0, False
    for at, job in enumerate(jobs):
        if _is_plain(job) is not plain:
            if at > start:
                yield plain, jobs[start:at]
            start, plain = at, not plain
    yield plain, jobs[start:]


def _is_plain(job: Job) -> bool:
    if job.unit is not put:
        return False
    _, data, options, _ = job.args
    return len(data) <= CHUNK and not options.conditional


def put_together(connection: Connection, jobs: Sequence[Job]) -> bool:
    """Run plain puts; raises where the transaction is half done.

    Returns:
        Whether there was room for all of them; if not, nothing was changed.
    """
    try:
        check_room(connection, sum(len(job.args[1]) for job in jobs))
    except NoSpace:
        return False
    # One stamp is that of all: they become visible together.
    first, modified = new_version(connection), time_ns() // 1000
    connection.newest = first + len(jobs) - 1
    when = datetime.fromtimestamp(modified / 1e6, UTC)
    rows, chunks = [], []
    for version, job in enumerate(jobs, first):
        key, data, options, expires = job.args
        size, kind = len(data), options.content_type
        pairs = dict(options.metadata) if options.metadata else {}
        metadata = json.dumps(pairs) if pairs else None
        rows.append((key, version, size, modified, kind, metadata, expires))
        chunks.append((version, data))
        job.error, job.result = None, ObjectInfo(key, size, f"{version:x}", when, kind, pairs)
    if connection.executemany(PUBLISH_NEW, rows).rowcount == len(jobs):
        connection.executemany(_ADD, chunks)
    else:
        for (key, *row), chunk in zip(rows, chunks, strict=True):
            _put_after_all(connection, key, Row(*row), chunk)
    return True


def _put_after_all(
    connection: Connection, key: str, row: Row, chunk: tuple[int, bytes | memoryview]
) -> None:
    """Finish one of several puts, some of which found something under their keys."""
    found = find(connection, key)
    if found is not None and found.version == row.version:
        connection.execute(_ADD, chunk)
    else:
        replace(connection, key, chunk[1], row, found)
