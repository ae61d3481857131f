"""What the tests of all handlers do: write, read, damage."""

from __future__ import annotations

import random
from collections.abc import Iterator
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast

import pytest

from storage._formats.base import Format
from storage._formats.table import HANDLERS


class Unseekable(BytesIO):
    """A stream like a socket's, which can only be written to."""

    def seekable(self) -> bool:
        return False

    def seek(self, *args: Any) -> int:
        raise OSError("this stream cannot seek")

    tell = truncate = seek


def spool() -> BinaryIO:
    """A stream in memory, and in a file as soon as it is not quite short."""
    return cast("BinaryIO", SpooledTemporaryFile(300))


def handler(extension: str) -> Format:
    found = HANDLERS.for_extension(extension)
    assert isinstance(found, Format)
    return found


def written(value: Any, extension: str) -> bytes:
    """The bytes of a value, which are the same whatever stream they are written to."""
    out = Unseekable()
    handler(extension).dump(value, out, extension)
    with spool() as other:
        handler(extension).dump(value, other, extension)
        other.seek(0)
        # An archive has its lengths elsewhere if it cannot go back to where they belong.
        assert extension == ".npz" or other.read() == out.getvalue()
    return out.getvalue()


def read(data: bytes, extension: str, as_: Any = None) -> Any:
    """The value of bytes, which does not need the stream that it was read from."""
    with spool() as source:
        source.write(data)
        source.seek(0)
        return handler(extension).load(source, extension, as_)


def again(value: Any, extension: str, as_: Any = None) -> Any:
    """The value, written and read."""
    return read(written(value, extension), extension, as_)


def refused(value: Any, extension: str, match: str) -> None:
    """It is refused, and nothing is written."""
    out = BytesIO()
    with pytest.raises(TypeError, match=match):
        handler(extension).dump(value, out, extension)
    assert out.getvalue() == b""


def damaged(data: bytes, count: int, seed: int = 1) -> Iterator[bytes]:
    """The bytes cut, changed, and replaced by others."""
    chance = random.Random(seed)
    yield b""
    for number in range(count):
        changed = bytearray(data)
        for _ in range(chance.randrange(1, 4)):
            changed[chance.randrange(len(data))] = chance.randrange(256)
        yield (data[: chance.randrange(len(data))], bytes(changed), chance.randbytes(60))[
            number % 3
        ]


def survives(data: bytes, extension: str, as_: Any = None, count: int = 30) -> None:
    """Damaged bytes are a ValueError; or, by chance, a value."""
    refusals = 0
    for bad in damaged(data, count):
        try:
            read(bad, extension, as_)
        except ValueError:
            refusals += 1
    assert refusals
