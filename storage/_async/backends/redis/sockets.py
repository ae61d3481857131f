"""Blocking connections, for callers without an event loop: one for each call under way."""

from __future__ import annotations

import os
import select
import socket
import ssl
import threading
from collections.abc import Sequence
from time import monotonic

from ...._core.errors import StoreClosed, StoreError, StoreTimeout
from .address import Address, Lost, quick
from .protocol import Command, Parser, Reply, encode

READ_SIZE = 256 * 1024


class Deadline:
    """A moment until which all waiting has to be done.

    Args:
        seconds: From now; None: never.
    """

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._end = None if seconds is None else monotonic() + seconds

    def left(self) -> float | None:
        """Seconds that are left; None: for ever.

        Raises:
            StoreTimeout: None are.
        """
        if self._end is None:
            return None
        left = self._end - monotonic()
        if left <= 0:
            raise StoreTimeout(f"it took longer than {self._seconds:g} s")
        return left


class Plug:
    """One connection."""

    def __init__(self, address: Address, context: ssl.SSLContext | None, end: Deadline) -> None:
        self._parser = Parser()
        self._socket = _connected(address, end)
        try:
            quick(self._socket)
            if context is not None:
                self._socket.settimeout(end.left())
                self._socket = context.wrap_socket(self._socket, server_hostname=address.host)
            greeting = address.greeting()
            if greeting:
                Address.check_greeting(self.ask(greeting, end))
        except BaseException:
            self.close()
            raise

    def ask(self, commands: Sequence[Command], end: Deadline) -> list[Reply]:
        """Send commands and read an answer to each."""
        found = self._socket
        for piece in encode(commands):
            found.settimeout(end.left())
            found.sendall(piece)
        replies: list[Reply] = []
        while len(replies) < len(commands):
            found.settimeout(end.left())
            data = found.recv(READ_SIZE)
            if not data:
                raise ConnectionError("the server closed the connection")
            replies += self._parser.feed(data)
        if len(replies) > len(commands):
            raise ConnectionError("an answer that nobody asked for")
        return replies

    def usable(self) -> bool:
        """Whether nothing has come since the last answer, such as the end."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        """End it."""
        self._socket.close()

    def __del__(self) -> None:
        # Whose store was not closed was warned about that; the sockets need not warn, too.
        found: socket.socket | None = self.__dict__.get("_socket")
        if found is not None:
            found.close()


class Plugs:
    """A pool of connections, safe to use from many threads and after a fork.

    Args:
        address: Of the server.
        most: How many connections there may be; who comes then waits.
    """

    def __init__(self, address: Address, most: int) -> None:
        self._address = address
        self._most = most
        self._context: ssl.SSLContext | None = None
        self._reset()

    def _reset(self) -> None:
        self._room = threading.Condition()
        self._idle: list[Plug] = []
        self._count = 0
        self._pid = os.getpid()
        self.closed = False

    @property
    def held(self) -> bool:
        """Whether there are connections."""
        return self._pid == os.getpid() and self._count > 0

    def send(self, commands: Sequence[Command], end: Deadline) -> list[Reply]:
        """Ask the server.

        Returns:
            A reply to each command; errors are among them and not raised.

        Raises:
            Lost: The server was not reached, or the connection broke.
            StoreTimeout: It took too long, the wait for a connection included.
        """
        plug = self._take(end)
        try:
            replies = plug.ask(commands, end)
        except BaseException as error:
            self._give(plug, broken=True)
            _raise_lost(error, end, sent=True)
            raise
        self._give(plug)
        return replies

    def _take(self, end: Deadline) -> Plug:
        if self._pid != os.getpid():  # the parent's are left alone
            _inherited.append(self._idle)
            self._reset()
        with self._room:
            while not self._idle and self._count >= self._most and not self.closed:
                self._room.wait(end.left())
            if self.closed:
                raise StoreClosed("the store was closed")
            while self._idle:
                plug = self._idle.pop()
                if plug.usable():
                    return plug
                plug.close()
                self._count -= 1
            self._count += 1
        try:
            return self._connected(end)
        except BaseException as error:
            self._forget()
            _raise_lost(error, end, sent=False)
            raise

    def _connected(self, end: Deadline) -> Plug:
        if self._address.tls and self._context is None:
            self._context = self._address.context()
        return Plug(self._address, self._context, end)

    def _give(self, plug: Plug, *, broken: bool = False) -> None:
        if not (broken or self.closed):
            with self._room:
                self._idle.append(plug)
                self._room.notify()
            return
        plug.close()
        self._forget()

    def _forget(self) -> None:
        with self._room:
            self._count -= 1
            self._room.notify()

    def close(self) -> None:
        """End those that are idle at once, and the others when their calls end."""
        with self._room:
            self.closed = True
            idle, self._idle = self._idle, []
            self._count -= len(idle)
            self._room.notify_all()
        for plug in idle:
            plug.close()


_inherited: list[object] = []
"""What a forked child must neither use nor collect."""


def _raise_lost(error: BaseException, end: Deadline, *, sent: bool) -> None:
    """Raise for what went wrong with a connection, or that the time is over; not for others."""
    if isinstance(error, StoreError) or not isinstance(error, OSError):
        return
    if isinstance(error, TimeoutError):
        end.left()
    raise Lost(error, sent=sent) from error


def _connected(address: Address, end: Deadline) -> socket.socket:
    if address.path is None:
        return socket.create_connection((address.host, address.port), end.left())
    found = socket.socket(socket.AF_UNIX)
    try:
        found.settimeout(end.left())
        found.connect(address.path)
    except BaseException:
        found.close()
        raise
    return found
