"""Objects that a service copies by itself, without their passing through this process."""

from __future__ import annotations

from dataclasses import replace

from ..steps import Copied
from .errand import Errand


async def copy_in_service(errand: Errand) -> Copied:
    """Have the service of both ends copy an object.

    Raises:
        NotSupported: It has to be done in another way.
    """
    listed, key = errand.listed, errand.key
    (source, inner), (target, there) = errand.here, errand.there
    errand.ends.source._check_reading("get", listed.key, errand.pinned())
    errand.ends.target._check_writing("put", key, errand.condition)
    if errand.ends.rate is not None and not target._copies_remotely:
        await errand.ends.rate.take(listed.size or 0)
    known = listed if inner == listed.key else replace(listed, key=inner)
    work = target._copy_from(source, known, there, errand.condition)
    stored = await target._place("copy", there, work)
    if stored.key != key:
        stored = replace(stored, key=key)
    size = listed.size if listed.size is not None else stored.size
    return errand.done(listed, stored, size or 0)
