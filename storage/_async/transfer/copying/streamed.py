"""Large objects where nothing better is known: read and written in pieces, one after the other."""

from __future__ import annotations

from ...streams import AsyncReader
from ..steps import Copied
from .errand import Errand


async def copy_streamed(errand: Errand) -> Copied:
    """Copy an object in bounded memory."""
    wanted = errand.source._stream_bytes + errand.target._stream_bytes
    held = await errand.budget.acquire(min(wanted, errand.listed.size or wanted))
    reader = errand.source._reader(errand.listed.key, errand.pinned())
    try:
        with errand.reading():
            await reader.__aenter__()
        return await _copied(errand, reader)
    finally:
        try:
            await reader.aclose()
        finally:
            errand.budget.give(held)


async def _copied(errand: Errand, reader: AsyncReader) -> Copied:
    info = reader.info
    errand.check_source(info)
    async with errand.target._writer(errand.key, errand.options(info)) as writer:
        while chunk := await _next(errand, reader):
            if errand.rate is not None:
                await errand.rate.take(len(chunk))
            await writer.write(chunk)
        errand.check_length(info, writer.tell())
    return errand.done(info, writer.info, writer.tell())


async def _next(errand: Errand, reader: AsyncReader) -> bytes:
    with errand.reading():
        return await anext(reader, b"")
