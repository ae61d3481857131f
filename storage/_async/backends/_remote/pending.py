"""An object in the making: a file under another name, which becomes the object or goes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from ...._core.closing import closing
from ...._core.errors import IntegrityError, StoreError, StoreUnavailable
from ...._core.info import ObjectInfo, WriteOptions
from .naming import TRIES, check_target, give_name
from .paths import above, temporary_beside
from .pool import Pool, finished
from .session import Refused, Session, Upload
from .tree import make_directories, prune


class Pending:
    """One write.

    Args:
        pool: What the session came from.
        session: What the object is written by.
        root: What its path begins with.
        key: The object's key.
        options: What is asked for.
    """

    def __init__(
        self, pool: Pool, session: Session, root: str, key: str, options: WriteOptions
    ) -> None:
        self.info: ObjectInfo | None = None
        self.busy = False
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pool = pool
        self._session = session
        self._root = root
        self._key = key
        self._if_absent = options.if_absent
        self._path = root + key
        self._temporary = temporary_beside(self._path)
        self._upload: Upload | None = None
        self._size = 0

    @asynccontextmanager
    async def undone(self) -> AsyncIterator[None]:
        """Undo all unless the block publishes the object."""
        self._pool.writing.add(self)
        try:
            yield
        finally:
            try:
                await self.undo()
            finally:
                self._pool.writing.discard(self)

    @contextmanager
    def _at_it(self) -> Iterator[Upload | None]:
        self._pool.check()
        self.busy = True
        try:
            yield self._upload
        finally:
            self.busy = False

    # -- forth ------------------------------------------------------------------------------

    async def begin(self) -> None:
        """Make the file that will be renamed."""
        with self._at_it():
            await check_target(self._session, self._root, self._key, if_absent=self._if_absent)
            directory = above(self._path)
            for attempt in range(TRIES):
                try:
                    await self._session.refuse_links(self._root, directory)
                    self._upload = await self._session.create(self._temporary)
                except (Refused, FileNotFoundError) as error:
                    if attempt and isinstance(error, Refused):
                        raise
                    await make_directories(self._session, self._root, directory)
                else:
                    return
        raise StoreUnavailable("the directory of the object is removed again and again")

    async def write(self, data: bytes | memoryview) -> None:
        """Take the next piece."""
        with self._at_it() as upload:
            assert upload is not None
            await upload.write(data)
            self._size += len(data)

    async def take(self, source: str, size: int) -> AsyncIterator[int]:
        """Let the server copy a file, in place of `write`; gives the bytes of each step."""
        with self._at_it() as upload:
            assert upload is not None
            async with closing(upload.copy(source, size)) as steps:
                async for length in steps:
                    self._pool.check()
                    self._size += length
                    yield length

    async def publish(self) -> None:
        """Make the object of all pieces."""
        with self._at_it() as upload:
            assert upload is not None
            facts = await upload.finish()
            if facts.size is not None and facts.size != self._size:
                raise IntegrityError(
                    f"{self._size} bytes were sent, and {facts.size} have arrived", key=self._key
                )
            self._pool.check()
            try:
                await give_name(
                    self._session,
                    self._root,
                    self._temporary,
                    self._key,
                    if_absent=self._if_absent,
                )
            except FileNotFoundError as error:
                raise StoreUnavailable("somebody has removed the file of this write") from error
            self.info = ObjectInfo(self._key, self._size, None, facts.modified)
            if not self._if_absent:
                self._settle()

    def _settle(self) -> None:
        if not self.over.done():
            self.over.set_result(None)

    # -- and back ---------------------------------------------------------------------------

    async def undo(self) -> None:
        """Leave nothing but the object, if it was published; may be called again."""
        if not self.over.done():
            await finished(self._undo())

    async def _undo(self) -> None:
        try:
            if self._upload is not None:
                await self._upload.abandon()
            await self._remove(self._session)
        except (StoreError, OSError):
            await self._undo_elsewhere()
        finally:
            self._settle()

    async def _undo_elsewhere(self) -> None:
        """The session is gone: another one has to clean up."""
        session = await self._pool.open()
        try:
            await self._remove(session)
        finally:
            session.drop()

    async def _remove(self, session: Session) -> None:
        try:
            await session.remove(self._temporary)
        except FileNotFoundError:
            pass
        if self.info is None:
            await prune(session, self._root, above(self._path))
