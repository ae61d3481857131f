"""Large objects where nothing better is known: read and written in pieces, one after the other."""

from __future__ import annotations

from ...streams import AsyncReader
from ..steps import Copied
from .errand import Errand


async def copy_streamed(errand: Errand) -> Copied:
    """Copy an object in bounded memory."""
    wanted = errand.ends.source._stream_bytes + errand.ends.target._stream_bytes
    held = await errand.ends.budget.acquire(min(wanted, errand.listed.size or wanted))
    reader = errand.ends.source._reader(errand.listed.key, errand.pinned())
    try:
        with errand.reading():
            await reader.__aenter__()
        return await _copied(errand, reader)
    finally:
        try:
            await reader.aclose()
        finally:
            errand.ends.budget.give(held)


async def _copied(errand: Errand, reader: AsyncReader) -> Copied:
    info = reader.info
    errand.check_source(info)
    async with errand.ends.target._writer(errand.key, errand.options(info)) as writer:
        while chunk := await _next(errand, reader):
            if errand.ends.rate is not None:
                await errand.ends.rate.take(len(chunk))
            await writer.write(chunk)
        errand.check_length(info, writer.tell())
    return errand.done(info, writer.info, writer.tell())


async def _next(errand: Errand, reader: AsyncReader) -> bytes:
    with errand.reading():
        return await anext(reader, b"")
