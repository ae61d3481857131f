"""Giving a file the name of an object."""

from __future__ import annotations

from ...._core.errors import InvalidKey, ObjectExists, StoreError, StoreUnavailable
from .paths import above
from .session import Kind, Refused, Session
from .tree import linked, make_directories, prune

TRIES = 10
"""How often a directory is made anew that somebody else removes, since it is empty."""


async def give_name(
    session: Session, root: str, source: str, key: str, *, if_absent: bool = False
) -> None:
    """Let a file be the object of a key, in one step.

    Args:
        session: The server.
        root: What all paths begin with.
        source: The file's path; with ``if_absent`` it keeps this name, too.
        key: The object's key.
        if_absent: Only if there is no such object.

    Raises:
        ObjectExists: There is.
        InvalidKey: There are objects below the key, or the key lies below an object.
        FileNotFoundError: There is no file to be named.
    """
    path = root + key
    step = session.link if if_absent else session.replace
    for _ in range(TRIES):
        try:
            await step(source, path)
        except (Refused, FileNotFoundError) as error:
            await _clear(session, root, source, key, error, if_absent=if_absent)
        else:
            return
    raise StoreUnavailable("the directory of the object is removed again and again", key=key)


async def _clear(
    session: Session, root: str, source: str, key: str, error: Exception, *, if_absent: bool
) -> None:
    """Put out of the way what kept a file from being named, or say what it is."""
    path = root + key
    there = await session.look(path)
    if there is None:
        if await session.look(source) is None:
            raise FileNotFoundError from error
        if isinstance(error, Refused) and await session.look(above(path).rstrip("/") or "."):
            raise error
        await make_directories(session, root, above(path))
    elif there.kind is Kind.DIRECTORY:
        await _make_room(session, path, key)
    elif if_absent:
        raise ObjectExists("there is an object under this key", key=key) from error
    else:
        raise (
            error
            if isinstance(error, Refused)
            else StoreUnavailable(
                "somebody else has written or removed the same object in this moment", key=key
            )
        ) from error


async def _make_room(session: Session, path: str, key: str) -> None:
    try:
        await session.remove_directory(path)
    except FileNotFoundError:
        return
    except StoreError as error:
        raise InvalidKey(
            "there are objects below this key, so it is a directory", key=key
        ) from error


async def check_target(session: Session, root: str, key: str, *, if_absent: bool) -> None:
    """Raise early where an object cannot get this key."""
    there = await session.look(root + key)
    if there is None:
        return
    if there.kind is Kind.LINK:
        raise linked(root + key)
    if there.kind is Kind.FILE and if_absent:
        raise ObjectExists("there is an object under this key", key=key)


async def rename(session: Session, root: str, source: str, target: str, *, if_absent: bool) -> None:
    """Give an object another key."""
    await check_target(session, root, target, if_absent=if_absent)
    try:
        await make_directories(session, root, above(root + target))
        await session.refuse_links(root, above(root + target))
        await give_name(session, root, root + source, target, if_absent=if_absent)
        if if_absent:
            await session.remove(root + source)
    except BaseException:
        await prune(session, root, above(root + target))
        raise
