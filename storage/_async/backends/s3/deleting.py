"""Objects removed one by one, and by the thousand."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Callable, Coroutine, Iterable, Sequence
from contextlib import aclosing, suppress
from typing import Any

from ...._core.errors import (
    IntegrityError,
    ObjectNotFound,
    PreconditionFailed,
    StoreError,
    StoreUnavailable,
)
from ...._core.window import in_order, pages
from ...base import Outcome
from . import attributes
from .errors import by_code, failure
from .keynames import fits_xml
from .requests import Requests

BATCH = 1000
"""Keys that S3 takes in one request."""
BATCHES = 4
"""Requests that are on their way at once."""


async def delete(send: Requests, full_key: str, *, missing_ok: bool, if_match: str | None) -> None:
    """Remove an object.

    S3 does not tell whether there was one: without ``missing_ok`` it is looked at first.
    """
    if if_match is not None:
        await _delete_version(send, full_key, if_match)
        return
    if not missing_ok:
        await send("head_object", Key=full_key)
    with suppress(ObjectNotFound):  # S3 itself does not say so, others do
        await send("delete_object", Key=full_key)


async def _delete_version(send: Requests, full_key: str, etag: str) -> None:
    try:
        await send("delete_object", Key=full_key, IfMatch=attributes.quoted(etag))
    except (PreconditionFailed, ObjectNotFound) as error:
        try:
            head = await send("head_object", Key=full_key)
        except ObjectNotFound:
            if failure(error).retries:
                raise StoreUnavailable(
                    "the answer was lost: the object is gone now, but by whom is not known"
                ) from error
            raise ObjectNotFound("there is no object under this key") from None
        found = attributes.unquoted(head.get("ETag"))
        raise PreconditionFailed(f"the object has etag {found!r}, not {etag!r}") from error


async def delete_many(
    keys: Iterable[str] | AsyncIterable[str],
    remove: Callable[[Sequence[str]], Coroutine[Any, Any, list[Outcome]]],
) -> AsyncGenerator[Outcome, None]:
    """Remove objects by the thousand; give each key with its error or None.

    Args:
        keys: As the user knows them.
        remove: Removes some of them; see `remove_batch`.
    """
    async with aclosing(in_order(remove, pages(keys, BATCH), BATCHES)) as results:
        async for batch, outcomes in results:
            if isinstance(outcomes, Exception):
                outcomes = [(key, outcomes) for key in batch]
            for outcome in outcomes:
                yield outcome


async def remove_batch(
    send: Requests, keys: Sequence[str], prefix: str, check: Callable[[str], None]
) -> list[Outcome]:
    """Remove objects, whether or not they exist.

    Args:
        send: Sends the requests.
        keys: At most `BATCH`, as the user knows them.
        prefix: The store's own.
        check: Raises where a key is none.

    Returns:
        Each key with its error or None, in the order of the keys.
    """
    errors: dict[str, Exception | None] = {}
    together = []
    for key in dict.fromkeys(keys):
        try:
            check(key)
        except StoreError as error:
            errors[key] = error
        else:
            if fits_xml(prefix + key):
                together.append(key)
            else:
                errors[key] = await _alone(send, prefix + key)
    if together:
        errors |= await _together(send, together, prefix)
    return [(key, errors[key]) for key in keys]


async def _alone(send: Requests, full_key: str) -> Exception | None:
    try:
        await delete(send, full_key, missing_ok=True, if_match=None)
    except StoreError as error:
        return error
    return None


async def _together(
    send: Requests, keys: Sequence[str], prefix: str
) -> dict[str, Exception | None]:
    wanted = {"Objects": [{"Key": prefix + key} for key in keys], "Quiet": False}
    try:
        answer = await send("delete_objects", Delete=wanted)
    except StoreError as error:
        return dict.fromkeys(keys, error)
    done = {deleted["Key"] for deleted in answer.get("Deleted", ())}
    failed = {error["Key"]: error for error in answer.get("Errors", ())}
    strangers = (done | failed.keys()) - {prefix + key for key in keys}
    errors: dict[str, Exception | None] = {}
    for key in keys:
        told = failed.get(prefix + key)
        if told is not None and told.get("Code") != "NoSuchKey":
            errors[key] = by_code(str(told.get("Code", "")), 0, str(told.get("Message", "")))
        elif told is not None or prefix + key in done:
            errors[key] = None
        elif strangers:
            errors[key] = IntegrityError("the server was heard to remove other keys instead")
        else:
            errors[key] = StoreError("the server did not say what became of this key")
    return errors
