"""Directories on the way to an object: made when it comes, removed when they are empty."""

from __future__ import annotations

from ...._core.errors import AccessDenied, InvalidKey, ObjectNotFound, StoreError, StoreNotFound
from .paths import above
from .session import Facts, Kind, Session


def linked(path: str) -> AccessDenied:
    """The error for a symbolic link on the way to an object."""
    return AccessDenied(f"{path!r} is a symbolic link, which is not followed")


async def make_directories(session: Session, root: str, directory: str) -> None:
    """Make a directory and those above it, also those of the root.

    Raises:
        InvalidKey: There is something else in its place.
        AccessDenied: A link leads away from the root.
    """
    path, missing = directory.rstrip("/"), []
    while path:
        facts = await session.look(path)
        if facts is not None:
            _check_passable(facts, path, root)
            break
        missing.append(path)
        path = above(path).rstrip("/")
    if len(path) >= len(root):
        await session.refuse_links(root, path)
    for path in reversed(missing):
        try:
            await session.make_directory(path)
        except (StoreError, FileNotFoundError):
            # Somebody was faster, with making it or with removing what was empty above it; or it
            # cannot be made, which the next step finds.
            continue


def _check_passable(facts: Facts, path: str, root: str) -> None:
    if facts.kind is Kind.DIRECTORY:
        return
    if facts.kind is not Kind.LINK:
        raise InvalidKey(f"{path!r} is {facts.kind.value}, so nothing can lie below it")
    if len(path) >= len(root):
        raise linked(path)


async def prune(session: Session, root: str, directory: str) -> None:
    """Remove a directory if it is empty, and those above it, up to the root."""
    while len(directory) > len(root):
        try:
            await session.remove_directory(directory.rstrip("/"))
        except (StoreError, FileNotFoundError):
            return
        directory = above(directory[:-1])


async def missing(session: Session, root: str, key: str | None = None) -> StoreError:
    """Whether it is the object or the whole store that is not there."""
    if root.strip("/") and await session.look(root.rstrip("/")) is None:
        return StoreNotFound(f"there is no directory {root!r} on the server")
    return ObjectNotFound("there is no object under this key", key=key)
