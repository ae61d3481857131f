"""Small objects: read as a whole, and stored as a whole."""

from __future__ import annotations

from typing import Any

from ...._core.errors import ObjectNotFound, PreconditionFailed
from ...._core.info import READ_ALL
from ..steps import Copied
from .errand import Errand


async def copy_whole(errand: Errand, most: int) -> Copied:
    """Copy an object through memory.

    Args:
        errand: What is to be copied.
        most: Bytes to reckon with where its length is not known.
    """
    size, budget = errand.listed.size, errand.ends.budget
    held = await budget.acquire(most if size is None else size)
    try:
        return await _copied(errand)
    finally:
        budget.give(held)


async def _copied(errand: Errand) -> Copied:
    source, target, key = errand.ends.source, errand.ends.target, errand.key
    data: Any  # not every store's values are bytes
    try:
        # What came tells which version it is: to ask for that one costs a signature of its own.
        options = READ_ALL if source._reads_one_version else errand.pinned()
        data, info = await source._read(errand.listed.key, options)
    except (PreconditionFailed, ObjectNotFound) as error:
        raise errand.changed() from error
    errand.check_source(info)
    attributes = errand.options(info)
    if type(data) is not bytes:
        stored = await target.put(key, data, **attributes.arguments())
        return Copied(stored, info.size or 0)
    size = len(data)
    errand.check_length(info, size)
    if errand.ends.rate is not None:
        await errand.ends.rate.take(size)
    return errand.done(info, await target._write(key, data, attributes), size)
