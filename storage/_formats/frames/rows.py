"""Where rows of CSV begin and end."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import BinaryIO

BLOCK = 1024 * 1024
LONGEST = 64 * BLOCK
"""Bytes of a row, at most; a quote that nobody closes would make the rest of the file one."""


def has_one_column(source: BinaryIO) -> bool:
    """Whether a CSV has one column alone: there, an empty line is a row, and no mere gap."""
    head = source.read(64 * 1024).decode(errors="replace")
    source.seek(0)
    return len(next(csv.reader(io.StringIO(head, newline="")), ())) == 1


def blocks(source: BinaryIO) -> Iterator[bytes]:
    """The rows of a CSV, about a MiB at a time.

    Raises:
        ValueError: One is too long.
    """
    rest = b""
    while chunk := source.read(BLOCK):
        data = rest + chunk
        end = _end_of_rows(data)
        if end:
            yield data[:end]
        rest = data[end:]
        if len(rest) > LONGEST:
            raise ValueError(f"a row of more than {LONGEST >> 20} MiB: perhaps an open quote")
    if rest:
        yield rest


def _end_of_rows(data: bytes) -> int:
    """Where the last whole row ends: at a line's end that an even number of quotes stands before.

    Args:
        data: It begins with a row.
    """
    end = data.rfind(b"\n") + 1
    quotes = data.count(b'"', 0, end)
    while quotes % 2:
        before = data.rfind(b"\n", 0, data.rfind(b'"', 0, end)) + 1
        quotes -= data.count(b'"', before, end)
        end = before
    return end
