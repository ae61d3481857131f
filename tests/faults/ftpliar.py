"""An FTP server that says what a test wants it to say."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

ANSWERS = {
    "USER": "331 more",
    "PASS": "230 in",
    "FEAT": "211-features\r\n MLST type*;size*;modify*;\r\n211 end",
    "OPTS": "200 yes",
    "TYPE": "200 yes",
    "EPSV": "229 here (|||{port}|)",
    "REST": "350 yes",
}


class FtpLiar:
    """One connection at a time; its own address is ``127.0.0.1`` and ``port``.

    Args:
        answers: What is answered to each command; ``{port}`` stands for the data port, ``{high}``
            and ``{low}`` for its bytes. What begins with 150 sends the data and then 226.
        data: What goes over the data connection.
    """

    def __init__(self, answers: dict[str, str], data: bytes = b"") -> None:
        self.heard: list[str] = []
        self._answers = {**ANSWERS, **answers}
        self._data = data
        self._transfers: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._control = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self._passive = await asyncio.start_server(self._transfer, "127.0.0.1", 0)
        self.port: int = self._control.sockets[0].getsockname()[1]
        self._data_port: int = self._passive.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._control.close()
        self._passive.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _transfer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._transfers.put(writer)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            writer.write(b"220 welcome\r\n")
            while line := await reader.readline():
                self.heard.append(line.decode().strip())
                command = self.heard[-1].partition(" ")[0]
                port = self._data_port
                answer = self._answers.get(command, "550 no").format(
                    port=port, high=port >> 8, low=port & 255
                )
                writer.write(f"{answer}\r\n".encode())
                if answer.startswith("150"):
                    sink = await self._transfers.get()
                    sink.write(self._data)
                    sink.close()
                    await sink.wait_closed()
                    writer.write(b"226 all of it\r\n")
                await writer.drain()
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()
