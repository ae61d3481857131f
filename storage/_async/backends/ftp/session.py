"""Conversations with FTP servers, by aioftp."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import aioftp

from ...._core.errors import MalformedResponse, PreconditionFailed, StoreUnavailable
from ...._core.info import ByteRange
from .._remote.paths import above
from .._remote.session import CHUNK, Facts, Kind, Reading, Refused, Session
from .listing import facts_in, parse_listing
from .upload import FtpUpload
from .words import failure, translated

T = TypeVar("T")

FRESH = 5.0
"""Seconds after which a connection that nobody used is asked whether it still works."""
_ANY = ("1xx", "2xx", "3xx", "4xx", "5xx")


class FtpSession(Session):
    """One control connection, and a data connection while something is transferred.

    Args:
        client: The connection, logged in.
    """

    def __init__(self, client: aioftp.Client) -> None:
        self._client = client
        self._dropped = False
        self._working: asyncio.Task[Any] | None = None
        self._data: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    @property
    def quiet(self) -> bool:
        """Whether it is open and waits for no answer."""
        working = self._working is not None and not self._working.done()
        stream = self._client.stream
        gone = stream.writer.is_closing() or stream.reader.at_eof()
        return not (working or gone or self._data)

    async def is_alive(self, idle: float) -> bool:
        """Whether the server still listens."""
        if idle < FRESH:
            return True
        try:
            await self._ask("NOOP")
        except Exception:  # whatever it is, another connection may do better
            return False
        return True

    def drop(self) -> None:
        """End both connections."""
        self._dropped = True
        if self._data is not None:
            self._data[1].transport.abort()
        self._client.stream.writer.transport.abort()

    # -- commands ---------------------------------------------------------------------------

    async def _do(self, work: Coroutine[Any, Any, T]) -> T:
        """Exchange something with the server, to its end also where the caller is cancelled.

        An answer that is read by halves would be taken for that of the next command.
        """
        try:
            await self._settled()
        except BaseException:
            work.close()
            raise
        task = self._working = asyncio.ensure_future(work)
        task.add_done_callback(_heard)
        with translated():
            return await asyncio.shield(task)

    async def _settled(self) -> None:
        """Wait for what was cancelled."""
        if self._working is not None and not self._working.done():
            await asyncio.wait([self._working])

    async def _answer(self, command: str | None) -> tuple[str, list[str]]:
        code, lines = await self._client.command(command, _ANY)
        return str(code), lines

    async def _ask(self, command: str) -> tuple[str, list[str]]:
        """Send a command; a refusal is raised."""
        code, lines = await self._do(self._answer(command))
        if code[:1] not in ("2", "3"):
            raise failure(code, " ".join(lines).strip())
        return code, lines

    async def _on_file(self, command: str, path: str) -> None:
        """Send a command that changes a file; servers do not tell why they refuse one."""
        try:
            await self._ask(f"{command} {path}")
        except Refused as error:
            if await self.look(path) is None:
                raise FileNotFoundError(str(error)) from error
            raise

    # -- what stands where ------------------------------------------------------------------

    async def look(self, path: str) -> Facts | None:
        """What stands under a path, as far as the server tells links from files."""
        try:
            _, lines = await self._ask(f"MLST {path}")
        except Refused:
            return None
        for line in lines:
            if line.startswith(" ") or "=" in line.partition(";")[0]:
                facts = facts_in(line.strip().encode())
                if facts is not None:
                    return facts[1]
        raise MalformedResponse("MLST was answered without facts")

    async def refuse_links(self, root: str, path: str) -> None:
        """The protocol does not tell."""

    async def scan(self, path: str) -> list[tuple[bytes, Facts]]:
        """What a directory holds."""
        reader = await self._begin(f"MLSD {path}")
        parts = []
        with translated():
            while part := await reader.read(CHUNK):
                parts.append(part)
        await self.end_transfer()
        return parse_listing(b"".join(parts))

    # -- changes ----------------------------------------------------------------------------

    async def make_directory(self, path: str) -> None:
        """Make a directory."""
        await self._ask(f"MKD {path}")

    async def remove_directory(self, path: str) -> None:
        """Remove an empty directory."""
        await self._ask(f"RMD {path}")

    async def remove(self, path: str) -> None:
        """Remove a file."""
        await self.leave_transfer()
        await self._on_file("DELE", path)

    async def replace(self, source: str, target: str) -> None:
        """Rename a file; a server that runs on Unix replaces what is there in one step."""
        await self._on_file("RNFR", source)
        await self._ask(f"RNTO {target}")

    # -- transfers --------------------------------------------------------------------------

    async def _begin(self, command: str, offset: int = 0) -> asyncio.StreamReader:
        """Open a data connection and let the server use it."""
        code, lines = await self._do(self._open_data(command, offset))
        if self._data is None:
            raise failure(code, " ".join(lines).strip())
        return self._data[0]

    async def _open_data(self, command: str, offset: int) -> tuple[str, list[str]]:
        # The host in an answer to PASV is ignored: it might be anybody's.
        reader, writer = await self._client.get_passive_connection("I")
        begun = False
        try:
            if offset:
                await self._client.command(f"REST {offset}", "350")
            answer = await self._answer(command)
            begun = answer[0].startswith("1") and not self._dropped
        finally:
            if not begun:
                writer.transport.abort()
        if begun:  # and so there is an answer to come
            self._data = reader, writer
        return answer

    async def end_transfer(self) -> None:
        """Close the data connection in order, and hear how the transfer went."""
        await self._settled()
        if self._data is None:
            raise StoreUnavailable("the transfer has ended before")
        code, lines = await self._do(self._close_data(in_order=True))
        if code[:1] != "2":
            raise failure(code, " ".join(lines).strip())

    async def leave_transfer(self) -> None:
        """End a transfer in its midst, if there is one; the server answers something."""
        await self._settled()
        if self._data is not None:
            await self._do(self._close_data(in_order=False))

    async def _close_data(self, *, in_order: bool) -> tuple[str, list[str]]:
        assert self._data is not None
        writer = self._data[1]
        try:
            if in_order:
                writer.close()
            else:
                writer.transport.abort()
            try:
                await writer.wait_closed()
            except OSError:  # TLS's errors are such, too
                pass  # the server may be the first to close; its answer decides
            return await self._answer(None)
        finally:
            self._data = None

    @asynccontextmanager
    async def read(self, root: str, path: str, part: ByteRange | None) -> AsyncIterator[Reading]:
        """Open a file."""
        facts = await self.look(path)
        if facts is None:
            raise FileNotFoundError(path)
        size = facts.size or 0
        start, end = (0, size) if part is None else part.resolve(size)
        reading = Reading(facts, _nothing())
        if facts.kind is Kind.FILE and (start < end or part is None):
            reader = await self._begin(f"RETR {path}", start)
            whole = end == size
            reading.chunks = self._chunks(reader, reading, path, start, None if whole else end)
        yield reading

    async def _chunks(
        self,
        reader: asyncio.StreamReader,
        reading: Reading,
        path: str,
        start: int,
        end: int | None,
    ) -> AsyncIterator[bytes]:
        position = start
        while end is None or position < end:
            with translated():
                data = await reader.read(CHUNK if end is None else min(CHUNK, end - position))
            if not data:
                break
            position += len(data)
            yield data
        if position == end:
            await self.leave_transfer()
            return
        await self.end_transfer()
        if position != reading.facts.size:
            reading.facts = await self._explain(reading.facts, path, position)

    async def _explain(self, before: Facts, path: str, size: int) -> Facts:
        """What the file is whose length was not what the server had said."""
        after = await self.look(path)
        if after is not None and after.size == size:
            return after
        if after == before:
            raise StoreUnavailable("the connection was cut before the end of the file")
        raise PreconditionFailed("the object was replaced as it was opened for reading")

    async def create(self, path: str) -> FtpUpload:
        """Begin to write a file, under a name that nobody else can have chosen."""
        try:
            await self._begin(f"STOR {path}")
        except Refused as error:
            if await self.look(above(path).rstrip("/") or "/") is None:
                raise FileNotFoundError(path) from error
            raise
        assert self._data is not None
        return FtpUpload(self, self._data[1], path)


async def _nothing() -> AsyncIterator[bytes]:
    for _ in ():
        yield b""


def _heard(task: asyncio.Task[Any]) -> None:
    """Nobody may be left who asks how it went."""
    if not task.cancelled():
        task.exception()
