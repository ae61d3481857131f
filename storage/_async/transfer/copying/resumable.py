"""Large uploads that outlive the process: the next run goes on where the last one was killed."""

from __future__ import annotations

from typing import Protocol

from ...._core.errors import ObjectNotFound, StoreError, StoreTimeout, StoreUnavailable
from ...._core.info import ObjectInfo, WriteOptions
from ...._core.window import finish_all
from ...base import AsyncBaseStore
from ...shortcuts import Content
from .errand import Errand


class UploadMemory(Protocol):
    """Remembers uploads between runs, on a disk."""

    async def upload_state(self, key: str) -> tuple[str, str] | None:
        """The state of an upload of a key that was begun, and the fingerprint of its source."""
        ...

    async def keep_upload(self, key: str, state: str, fingerprint: str) -> None:
        """Remember one, in place of what was known of the key."""
        ...

    async def drop_upload(self, key: str) -> None:
        """Forget one."""
        ...


async def resumed(
    errand: Errand, content: Content, options: WriteOptions, uploads: UploadMemory
) -> ObjectInfo:
    """Have the target take a content, from where an earlier run has left it.

    What cannot go on now but may later (the process is killed, the sync cancelled, the server out
    of reach) leaves the upload as it is; all else takes it back.
    """
    target, key = errand.there
    state = await _state(errand, uploads)
    fresh = state is None
    for _ in range(2):
        if state is None:
            state = await _begun(errand, options, uploads)
        try:
            work = target._take(key, content, options, state)
            stored = await target._place("put", key, work)
        except (StoreUnavailable, StoreTimeout):
            raise
        except ObjectNotFound:
            if fresh:
                raise
            state, fresh = None, True  # it was given up meanwhile, by the server or by somebody
            continue
        except Exception:
            await finish_all([drop(errand.ends.target, errand.key, uploads)])
            raise
        await uploads.drop_upload(errand.key)
        return stored
    raise StoreError("unreachable")


def fingerprint(info: ObjectInfo) -> str:
    """What tells two versions of a source's object apart."""
    modified = info.modified.isoformat() if info.modified is not None else None
    return f"{info.size} {info.etag} {modified}"


async def _state(errand: Errand, uploads: UploadMemory) -> str | None:
    """That of an upload of this very version; one of another version is given up."""
    known = await uploads.upload_state(errand.key)
    if known is None:
        return None
    state, source = known
    if source == fingerprint(errand.listed):
        return state
    await drop(errand.ends.target, errand.key, uploads)
    return None


async def _begun(errand: Errand, options: WriteOptions, uploads: UploadMemory) -> str:
    target, key = errand.there
    size = errand.listed.size or 0
    state = await target._run("put", key, target._begin_take(key, options, size))
    try:
        await uploads.keep_upload(errand.key, state, fingerprint(errand.listed))
    except BaseException:
        await finish_all([target._drop_take(key, state)])  # nobody would know of it
        raise
    return state


async def drop(store: AsyncBaseStore, key: str, uploads: UploadMemory) -> None:
    """Give up the upload of a key, if there is one.

    Args:
        store: Where it goes.
        key: Its key there.
        uploads: Knows of it.
    """
    known = await uploads.upload_state(key)
    if known is not None:
        target, inner = store._behind(key)
        await target._drop_take(inner, known[0])
        await uploads.drop_upload(key)
