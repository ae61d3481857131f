"""A relay that counts, holds and cuts what it passes."""

from __future__ import annotations

import asyncio

from tests.faults.relay import Relay, Wire


class CuttingRelay(Relay):
    """Passes connections on to a server of this machine; its own ``port`` is to be dialed."""

    def __init__(self, port: int) -> None:
        super().__init__("127.0.0.1", port)
        self.passed = 0
        """Bytes in both directions together."""
        self.asked = self.answered = self._look
        self._cut_after: int | None = None
        self._open = asyncio.Event()
        self._open.set()
        self._wires: set[Wire] = set()

    def hold(self) -> None:
        """Pass nothing on, in either direction."""
        self._open.clear()

    def go_on(self) -> None:
        """Pass on again."""
        self._open.set()

    def cut(self) -> None:
        """End all connections of this moment."""
        while self._wires:
            self._wires.pop().reset()

    def cut_after(self, size: int) -> None:
        """End all connections when so many more bytes have passed."""
        self._cut_after = self.passed + size

    async def _look(self, data: bytes, wire: Wire) -> bytes:
        self._wires.add(wire)
        await self._open.wait()
        self.passed += len(data)
        if self._cut_after is None or self.passed <= self._cut_after:
            return data
        self._cut_after = None
        self.cut()
        return b""
