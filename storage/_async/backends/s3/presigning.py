"""URLs and forms that work for a while without credentials."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict

from ...._core.errors import ConfigError
from .errors import translate
from .settings import ObjectRequests

WEEK = 7 * 24 * 3600


class AnswerHeaders(TypedDict, total=False):
    """Headers of the answer to a presigned GET, in place of the object's own."""

    cache_control: str
    content_disposition: str
    content_encoding: str
    content_language: str
    content_type: str
    expires: datetime


@dataclass(frozen=True, slots=True)
class PresignedPost:
    """A form by which a browser stores an object.

    Args:
        url: Where it is sent to, by POST as ``multipart/form-data``.
        fields: What it holds before its last field, ``file``.
    """

    url: str
    fields: Mapping[str, str]


def check_expiry(expiry: int) -> None:
    """Refuse what is no time that S3 allows.

    Raises:
        ConfigError: It is not from a second to a week.
    """
    if type(expiry) is not int or not 1 <= expiry <= WEEK:
        raise ConfigError(f"expiry is a number of seconds from 1 to {WEEK}, not {expiry!r}")


def overrides(headers: AnswerHeaders) -> dict[str, Any]:
    """The parameters that ask for an answer with these headers."""
    unknown = headers.keys() - AnswerHeaders.__annotations__
    if unknown:
        raise TypeError(f"no header of an answer: {', '.join(sorted(unknown))}")
    return {
        "Response" + name.title().replace("_", ""): value
        for name, value in headers.items()
        if value is not None
    }


async def url(
    send: ObjectRequests, operation: str, full_key: str, expiry: int, **parameters: Any
) -> str:
    """A URL that does one operation on one key for ``expiry`` seconds."""
    if send.settings.request_payer:
        parameters["RequestPayer"] = "requester"
    known = {"Bucket": send.bucket, "Key": full_key, **parameters}
    signed = await _signed(
        send, "generate_presigned_url", operation, Params=known, ExpiresIn=expiry
    )
    return str(signed)


async def post(
    send: ObjectRequests,
    full_key: str,
    expiry: int,
    *,
    sizes: tuple[int, int] | None,
    content_type: str | None,
) -> PresignedPost:
    """A form that stores an object under one key, within ``expiry`` seconds.

    Args:
        send: Knows the client.
        full_key: The key with the store's prefix.
        expiry: Seconds.
        sizes: The fewest and the most bytes that it may have.
        content_type: Its media type, which is fixed by it.
    """
    fields: dict[str, str] = {}
    conditions: list[Any] = []
    if sizes is not None:
        conditions.append(["content-length-range", *sizes])
    if content_type is not None:
        fields["Content-Type"] = content_type
        conditions.append({"Content-Type": content_type})
    made = await _signed(
        send,
        "generate_presigned_post",
        send.bucket,
        full_key,
        Fields=fields,
        Conditions=conditions,
        ExpiresIn=expiry,
    )
    return PresignedPost(made["url"], made["fields"])


async def _signed(send: ObjectRequests, method: str, *args: Any, **kwargs: Any) -> Any:
    client = await send.clients.get()
    try:
        made = getattr(client, method)(*args, **kwargs)
        return await made if inspect.isawaitable(made) else made
    except Exception as error:
        ours = translate(error)
        if ours is None:
            raise
        raise ours from error
