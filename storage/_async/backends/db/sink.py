"""Streams on their way into the file."""

from __future__ import annotations

import sqlite3
from contextlib import suppress

from ...._core.errors import StoreError
from ...._core.info import ObjectInfo, WriteOptions
from . import uploads
from .database import PLAIN, Database
from .jobs import How
from .objects import CHUNK

# The commit that publishes an upload makes its chunks durable too.
BEGIN = How(create=True, durable=False)
ADD = How(durable=False)
DROP = How(durable=False, stubborn=True)


class Upload:
    """Pieces on their way into the file, in chunks of their own; see `Sink`."""

    def __init__(self, database: Database) -> None:
        self.info: ObjectInfo | None = None
        self.buffer = bytearray()
        self._database = database
        self._version: int | None = None
        self._count = 0

    @property
    def begun(self) -> bool:
        """Whether anything is in the file yet."""
        return self._version is not None

    async def write(self, data: bytes | memoryview, /) -> None:
        """Take the next piece."""
        view = memoryview(data)
        while view:
            room = CHUNK - len(self.buffer)
            self.buffer += view[:room]
            view = view[room:]
            if len(self.buffer) == CHUNK:
                await self._flush(bytes(self.buffer))
                self.buffer.clear()

    async def _flush(self, chunk: bytes) -> None:
        if self._version is None:
            await self._database.write(BEGIN, self._begin, chunk)
        else:
            await self._database.write(
                ADD, uploads.add_to_upload, self._version, self._count, chunk
            )
        self._count += 1

    def _begin(self, connection: sqlite3.Connection, chunk: bytes) -> None:
        # Set here, so that it is known also if the caller is cancelled meanwhile.
        self._version = uploads.begin_upload(connection, chunk)

    async def publish(self, key: str, options: WriteOptions, expires: int | None) -> ObjectInfo:
        """Take the rest, and make the object visible."""
        assert self._version is not None
        last = uploads.Last(self._version, self._count, bytes(self.buffer))
        return await self._database.write(
            PLAIN, uploads.publish_upload, last, key, options, expires
        )

    async def drop(self) -> None:
        """Forget what is in the file; where that fails, it is swept up some day."""
        if self._version is not None:
            with suppress(StoreError):
                await self._database.write(DROP, uploads.drop_upload, self._version)
