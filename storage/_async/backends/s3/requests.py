"""Where every request leaves and every answer comes in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from time import monotonic
from typing import Any, TypeVar
from uuid import uuid4

from ...._core.errors import (
    ObjectExists,
    ObjectNotFound,
    PreconditionFailed,
    StoreClosed,
    StoreError,
    StoreNotFound,
    StoreUnavailable,
)
from . import attributes
from .clients import Clients
from .errors import CONFLICT, failure, translate
from .flights import Crowd
from .lanes import Lanes

T = TypeVar("T")

FRESH = 5.0
"""Seconds for which an answer about the bucket shows that the bucket exists."""
TRIES = 6
"""How often a write is tried that meets another one, or a bucket that is just being created."""


class Requests:
    """Sends operations on one bucket.

    Args:
        bucket: Its name.
        clients: Where the clients come from.
        create: Whether a write creates the bucket if it is missing.
        lane: See `Lanes`.
    """

    def __init__(
        self, bucket: str, clients: Clients, *, create: bool = False, lane: str = "auto"
    ) -> None:
        self.bucket = bucket
        self.clients = clients
        self.lanes = Lanes(bucket, clients, lane)
        self.crowd = Crowd()
        self._create = create
        self._seen = float("-inf")

    async def __call__(self, operation: str, **parameters: Any) -> Mapping[str, Any]:
        """Send one operation.

        Args:
            operation: The name of the client's method.
            parameters: All but the bucket.

        Returns:
            What the client returns.
        """
        try:
            answer = await self.lanes.send(operation, parameters)
        except StoreError:
            raise
        except Exception as error:
            explained = await self._explained(error)
            if explained is None:
                raise
            raise explained from error
        self._seen = monotonic()
        return answer

    async def _explained(self, error: Exception) -> StoreError | None:
        if self.clients.closed:
            return StoreClosed("the store was closed meanwhile")
        ours = translate(error)
        if ours is None:
            return None
        ours.__cause__ = error
        if isinstance(ours, ObjectNotFound):
            # An answer to HEAD has no body to tell what is missing.
            if failure(ours).bodiless and not await self._bucket_exists():
                return self._no_bucket()
            self._seen = monotonic()
        return self._no_bucket() if isinstance(ours, StoreNotFound) else ours

    def _no_bucket(self) -> StoreNotFound:
        hint = "" if self._create else "; create=True lets the first write create it"
        return StoreNotFound(f"there is no bucket {self.bucket!r}{hint}")

    async def _bucket_exists(self) -> bool:
        if monotonic() - self._seen < FRESH:
            return True
        try:
            await self.lanes.send("head_bucket", {})
        except Exception as error:
            ours = translate(error)
            if ours is None:
                raise
            ours.__cause__ = error
            status = failure(ours).status
            if status == 404:
                return False
            if status != 403:  # who may not look at the bucket may still look at an object
                raise ours from error
        return True

    # -- writes -----------------------------------------------------------------------------

    async def write(self, operation: str, **parameters: Any) -> Mapping[str, Any]:
        """Send an operation that may be the bucket's first."""

        async def once() -> Mapping[str, Any]:
            return await self(operation, **parameters)

        try:
            return await once()
        except StoreNotFound:
            if not self._create:
                raise
        await self._create_bucket()
        return await patiently(once, lambda error: isinstance(error, StoreNotFound))

    async def _create_bucket(self) -> None:
        region = await self.lanes.region()
        known = region in (None, "us-east-1", "aws-global")
        place = {} if known else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        try:
            await self("create_bucket", **place)
        except StoreError as error:
            code = failure(error).code
            if code == "BucketAlreadyOwnedByYou":
                return
            if code != "BucketAlreadyExists" or not await self._bucket_exists():
                raise

    async def conditionally(
        self,
        operation: str,
        key: str,
        *,
        if_absent: bool,
        if_match: str | None,
        token: str | None,
        **parameters: Any,
    ) -> Mapping[str, Any]:
        """Send a write that may depend on what stands under the key.

        Args:
            operation: The name of the client's method.
            key: With the store's prefix.
            if_absent: Only if there is no object.
            if_match: Only if the object has this etag.
            token: What marks this write in the object's metadata. Where an acknowledgement was
                lost and the next try was refused, our own object is known by it.
            parameters: All others.

        Returns:
            The answer; that of a HEAD where our own object was found.
        """
        if if_absent:
            parameters["IfNoneMatch"] = "*"
        if if_match is not None:
            parameters["IfMatch"] = attributes.quoted(if_match)

        async def once() -> Mapping[str, Any]:
            return await self.write(operation, Key=key, **parameters)

        try:
            return await patiently(once, lambda error: failure(error).code == CONFLICT)
        except StoreError as error:
            code, status, _ = failure(error)
            if status not in (404, 412) or isinstance(error, StoreNotFound):
                raise
            # Not only where the client says that it asked twice: aiohttp does so without a word.
            if token is not None and (ours := await self._find(key, token)):
                return ours
            if if_absent and status == 412:
                raise ObjectExists("there is an object under this key") from error.__cause__
            if if_match is not None and code != "NoSuchUpload":
                raise PreconditionFailed(
                    f"the object has not the etag {if_match!r}, or is gone"
                ) from error.__cause__
            raise

    async def _find(self, key: str, token: str) -> Mapping[str, Any] | None:
        """The object that this very write has stored."""
        try:
            head = await self("head_object", Key=key)
        except ObjectNotFound:
            return None
        return head if (head.get("Metadata") or {}).get(attributes.TOKEN) == token else None


def new_token() -> str:
    """A mark for one write."""
    return uuid4().hex


async def patiently(work: Callable[[], Awaitable[T]], again: Callable[[StoreError], bool]) -> T:
    """Do a piece of work again, after growing pauses with jitter, while its error says so.

    Raises:
        StoreUnavailable: After the last try, where the error was a conflict of writes.
    """
    for attempt in range(TRIES):
        try:
            return await work()
        except StoreError as error:
            if attempt == TRIES - 1 or not again(error):
                raise
        await pause(attempt)
    raise StoreUnavailable("unreachable")


async def pause(attempt: int) -> None:
    """Wait before another attempt, the first being 0: at most 0.1 s, then twice as long each."""
    from random import uniform  # few runs need it

    await asyncio.sleep(uniform(0, 0.1 * 2**attempt))
