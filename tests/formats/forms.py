"""What the tests of all handlers do: write, read, damage."""

from __future__ import annotations

import random
from collections.abc import Iterator
from io import BytesIO
from typing import Any

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


def handler(extension: str) -> Format:
    found = HANDLERS.for_extension(extension)
    assert isinstance(found, Format)
    return found


def written(value: Any, extension: str) -> bytes:
    out = Unseekable()
    handler(extension).dump(value, out, extension)
    return out.getvalue()


def read(data: bytes, extension: str, as_: Any = None) -> Any:
    source = BytesIO(data)
    value = handler(extension).load(source, extension, as_)
    source.close()  # what was read does not need it
    return value


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
