"""Which object a key means that has no extension: one listing tells."""

from __future__ import annotations

from datetime import UTC, datetime

from ..._core.closing import closing
from ..._core.errors import ObjectNotFound, PreconditionFailed
from ..._core.info import Capability, ObjectInfo
from ..._formats.registry import Handlers
from ..base import AsyncBaseStore
from .wanted import Found, Wanted

LIMIT = 1000
"""Entries of a listing that are looked at; S3 gives so many at once."""
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


async def find(wanted: Wanted, handlers: Handlers, mine: str = "") -> Found:
    """The object that a key means.

    Args:
        mine: The key of the object that this store itself has written last under it.

    Raises:
        ObjectNotFound: There is none that holds a value.
    """
    store, key = wanted.store, wanted.key
    known = handlers.extension_of(key)
    if wanted.format:
        return await _find_as(wanted, known)
    if known:
        return Found(store, key, known)
    siblings = await find_siblings(store, key, handlers)
    if not siblings:
        reason = f"there is no object {key!r} with an extension that is known here"
        raise ObjectNotFound(reason, operation="get", store=repr(store), key=key)
    return newest(siblings, handlers, mine)


async def _find_as(wanted: Wanted, known: str) -> Found:
    """The object of a form that was asked for: its extension is added where there is none."""
    store, key, form = wanted.store, wanted.key, wanted.format
    if not known and await store.exists(key + form):
        return Found(store, key + form, form)
    return Found(store, key, form)


async def find_siblings(store: AsyncBaseStore, key: str, handlers: Handlers) -> list[Found]:
    """All objects whose key is this one with an extension."""
    found, seen = [], 0
    async with closing(store.list(f"{key}.")) as infos:
        async for info in infos:
            extension = handlers.extension_of(info.key)
            if extension and len(info.key) == len(key) + len(extension):
                found.append(Found(store, info.key, extension, info))
            seen += 1
            if seen == LIMIT:
                break
    if seen == LIMIT:  # many keys begin like that; these are so few that each may be asked for
        there = {each.extension for each in found}
        found += await _probe(store, key, _extensions(handlers) - there)
    return found


async def _probe(store: AsyncBaseStore, key: str, extensions: set[str]) -> list[Found]:
    found = []
    for extension in sorted(extensions):
        try:
            info = await store.head(key + extension)
        except ObjectNotFound:
            continue
        found.append(Found(store, key + extension, extension, info))
    return found


def _extensions(handlers: Handlers) -> set[str]:
    return {extension.lower() for handler in handlers for extension in handler.extensions}


def newest(siblings: list[Found], handlers: Handlers, mine: str) -> Found:
    """The one that was written last; where times do not tell, `mine`, or the first handler's."""
    order = list(handlers)

    def rank(found: Found) -> tuple[datetime, bool, int]:
        handler = handlers.for_extension(found.extension)
        place = order.index(handler) if handler else len(order)
        return found.info.modified or _LONG_AGO, found.key == mine, -place

    return max(siblings, key=rank)


async def remove_replaced(found: Found) -> None:
    """Remove an object that another one stands for now, unless somebody has written it since."""
    store, key = found.store, found.key
    if found.info.etag is not None and Capability.DELETE_IF_MATCH in store.capabilities:
        try:
            await store.delete(key, missing_ok=True, if_match=found.info.etag)
        except (PreconditionFailed, ObjectNotFound):
            return
    elif await _is_still(found.info, store, key):
        await store.delete(key, missing_ok=True)


async def _is_still(info: ObjectInfo, store: AsyncBaseStore, key: str) -> bool:
    try:
        now = await store.head(key)
    except ObjectNotFound:
        return False
    known = ((info.size, now.size), (info.etag, now.etag), (info.modified, now.modified))
    return all(before == after for before, after in known if None not in (before, after))
