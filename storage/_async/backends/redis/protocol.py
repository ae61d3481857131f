"""RESP2, the language of the server: commands as bytes, and replies out of bytes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from ...._core.errors import MalformedResponse

Argument: TypeAlias = bytes | memoryview | int
Command: TypeAlias = tuple[Argument, ...]
Reply: TypeAlias = "bytes | int | list[Reply] | ReplyError | None"

LARGE = 64 * 1024
"""Bytes from which on an argument is sent as it is, not copied among others."""
LONGEST_LINE = 64 * 1024
LONGEST_VALUE = 1 << 40
DEEPEST = 16


class ReplyError(Exception):
    """An error that the server answered with; ``str`` of it begins with its code."""


def encode(commands: Iterable[Command]) -> list[bytes | memoryview]:
    """Commands as they go over the wire, in one piece but for large arguments."""
    pieces: list[bytes | memoryview] = []
    small: list[bytes] = []
    for command in commands:
        small.append(b"*%d\r\n" % len(command))
        for argument in command:
            data = b"%d" % argument if isinstance(argument, int) else argument
            size = len(data)
            small.append(b"$%d\r\n" % size)
            if size < LARGE:
                small.append(bytes(data))
            else:
                pieces += [b"".join(small), data]
                small = []
            small.append(b"\r\n")
    pieces.append(b"".join(small))
    return pieces


class Parser:
    """Takes bytes as they come and gives the replies that are whole."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._wanted: int | None = None
        """The length of the string that is under way."""
        self._open: list[tuple[list[Reply], int]] = []
        """The arrays that are under way, and how many replies each will have."""

    def feed(self, data: bytes) -> list[Reply]:
        """Take the next bytes.

        Returns:
            The replies that they complete.

        Raises:
            MalformedResponse: They cannot be replies. The rest of the stream means nothing.
        """
        buffer = self._buffer
        buffer += data
        replies: list[Reply] = []
        position = 0
        while (found := self._take(buffer, position)) is not None:
            position, complete, value = found
            if complete:
                self._place(value, replies)
        del buffer[:position]
        return replies

    def _take(self, buffer: bytearray, start: int) -> tuple[int, bool, Reply] | None:
        """The next token: where it ends, whether it is a value, and which; None: not all there."""
        if self._wanted is not None:
            end = start + self._wanted
            if len(buffer) < end + 2:
                return None
            if buffer[end : end + 2] != b"\r\n":
                raise MalformedResponse("a string of the server is longer than it says")
            self._wanted = None
            return end + 2, True, bytes(memoryview(buffer)[start:end])
        end = buffer.find(b"\r\n", start)
        if end < 0:
            if len(buffer) - start > LONGEST_LINE:
                raise MalformedResponse("a line of the server has no end")
            return None
        return end + 2, *self._line(buffer[start], bytes(buffer[start + 1 : end]))

    def _line(self, kind: int, line: bytes) -> tuple[bool, Reply]:
        if kind == 0x2B:  # +
            return True, line
        if kind == 0x2D:  # -
            return True, ReplyError(line.decode(errors="replace"))
        number = _number(line)
        if kind == 0x3A:  # :
            return True, number
        if kind not in b"$*" or not -1 <= number <= LONGEST_VALUE:
            raise MalformedResponse(f"no reply of Redis begins with {bytes([kind]) + line[:20]!r}")
        if number < 0:
            return True, None
        if kind == 0x24:  # $
            self._wanted = number
            return False, None
        if number == 0:
            return True, []
        if len(self._open) == DEEPEST:
            raise MalformedResponse("a reply of the server is nested too deeply")
        self._open.append(([], number))
        return False, None

    def _place(self, value: Reply, replies: list[Reply]) -> None:
        while self._open:
            items, count = self._open[-1]
            items.append(value)
            if len(items) < count:
                return
            self._open.pop()
            value = items
        replies.append(value)


def _number(line: bytes) -> int:
    if not line.removeprefix(b"-").isdigit() or len(line) > 20:
        raise MalformedResponse(f"no number: {line[:20]!r}")
    return int(line)
