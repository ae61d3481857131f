"""Listings: pages that are checked before anything in them is believed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing
from typing import Any, NamedTuple, TypeAlias

from ...._core.errors import MalformedResponse, StoreUnavailable
from ...._core.info import ListResult, ObjectInfo
from ...._core.window import cancel_all
from . import keynames
from .columns import Columns
from .errors import failure
from .requests import Requests

Entry: TypeAlias = Mapping[str, Any]

PAGE = 1000
"""Entries of a page; S3 gives no more."""


class Page(NamedTuple):
    """One answer to a listing."""

    objects: Columns
    prefixes: list[str]
    token: str | None
    """What the next page is asked for with; None: this is the last."""


class _Ahead:
    """The one request that is on its way.

    Args:
        send: Sends it, given its token.
    """

    def __init__(self, send: Callable[[str | None], Coroutine[Any, Any, Entry]]) -> None:
        self._send = send
        self._coming: asyncio.Task[Entry] | None = None

    async def ask(self, token: str | None) -> None:
        """Let it leave."""
        self._coming = asyncio.create_task(self._send(token))
        await asyncio.sleep(0)  # or it would leave when the page before has been looked at

    async def answer(self) -> Entry:
        """What comes of it."""
        assert self._coming is not None
        answer = await self._coming
        self._coming = None
        return answer

    async def drop(self) -> None:
        """Give it up."""
        coming, self._coming = self._coming, None
        if coming is not None:
            await cancel_all([coming])


class Listing:
    """The listing of a prefix.

    Args:
        send: Sends the requests.
        own: The store's own prefix, which the user does not see.
        prefix: What the keys begin with, as the user says it.
        asked: The beginning of ``prefix`` that the server is asked for; the rest is seen to here.
        start_after: The key after which to begin, likewise; only a server that lists in the order
            of keys may be asked for it.
        delimiter: What ends a level, or nothing; not with a part of the prefix.
        until: The key that need not be passed, where the server lists in the order of keys; None:
            all are asked for.
    """

    def __init__(
        self,
        send: Requests,
        own: str,
        prefix: str,
        *,
        asked: str,
        start_after: str = "",
        delimiter: str = "",
        until: str | None = None,
    ) -> None:
        self._send = send
        self._own = own
        self._prefix = own + prefix
        # What no key can hold cannot be asked for; whether the bucket is there still is.
        self._possible = keynames.exists(prefix)
        self._asked = own + asked if self._possible else own
        self.whole = self._asked == self._prefix
        self._until = None if until is None else own + until
        self._tokens: set[str] = set()
        self._parameters: dict[str, Any] = {"Prefix": self._asked, "MaxKeys": PAGE}
        if start_after:
            self._parameters["StartAfter"] = own + start_after
        if delimiter:
            self._parameters["Delimiter"] = delimiter

    async def infos(self) -> AsyncGenerator[list[ObjectInfo], None]:
        """The objects, page by page."""
        async with aclosing(self._columns()) as pages:
            async for page in pages:
                yield page.infos(len(self._own))

    async def keys(self) -> AsyncGenerator[Sequence[str], None]:
        """Their keys alone."""
        async with aclosing(self._columns()) as pages:
            async for page in pages:
                yield page.own_keys(len(self._own))

    async def level(self) -> ListResult:
        """All of a listing with a delimiter, sorted."""
        objects, prefixes, own = [], set(), len(self._own)
        async with aclosing(self._pages()) as pages:
            async for page in pages:
                objects += page.objects.without(self._own).infos(own)
                prefixes |= {prefix[own:] for prefix in page.prefixes}
        return ListResult(
            tuple(sorted(prefixes)), tuple(sorted(objects, key=lambda info: info.key))
        )

    async def _columns(self) -> AsyncGenerator[Columns, None]:
        """What is wanted: without the object that is named as the store's prefix itself, a mark
        that other tools make for a folder.
        """
        async with aclosing(self._pages()) as pages:
            async for page in pages:
                found = page.objects.without(self._own)
                yield found if self.whole else found.beginning_with(self._prefix)

    async def _pages(self) -> AsyncGenerator[Page, None]:
        """The pages; the next one is on its way while one is read and looked at."""
        ahead = _Ahead(self._answer)
        try:
            await ahead.ask(None)
            while True:
                answer = await ahead.answer()
                early: str | None = None
                if self._possible and self._until is None:
                    # What the next page is asked for with may be known before all else is read.
                    early = getattr(answer, "expected", None)
                if early is not None:
                    await ahead.ask(early)
                page = self._checked(answer)
                token = page.token if self._possible and not self._is_past(page) else None
                if token != early:
                    await ahead.drop()
                    if token is not None:
                        await ahead.ask(token)
                yield page
                if token is None:
                    return
        finally:
            await ahead.drop()

    def _is_past(self, page: Page) -> bool:
        keys = page.objects.keys
        return self._until is not None and bool(keys) and keys[-1] >= self._until

    async def _answer(self, token: str | None) -> Mapping[str, Any]:
        more = {} if token is None else {"ContinuationToken": token}
        try:
            return await self._send("list_objects_v2", **self._parameters, **more)
        except StoreUnavailable as error:
            # What it cannot read, botocore takes for an error 500 that says nothing.
            if failure(error).code != "500":
                raise
            raise MalformedResponse("the server's answer is no listing") from error

    def _checked(self, answer: Mapping[str, Any]) -> Page:
        """Believe an answer only if it is whole: an empty one may cost a mirror its objects."""
        objects, prefixes = answer.get("Contents", []), answer.get("CommonPrefixes", [])
        bucket, count = self._send.bucket, answer.get("KeyCount")
        if not bucket.startswith("arn:") and answer.get("Name") != bucket:
            raise MalformedResponse(f"a listing of {answer.get('Name')!r}, not of {bucket!r}")
        if count != len(objects) + len(prefixes):
            raise MalformedResponse(
                f"a listing that says it has {count} entries, and has "
                f"{len(objects)} objects and {len(prefixes)} prefixes"
            )
        if not isinstance(answer.get("IsTruncated"), bool):
            raise MalformedResponse("a listing that does not say whether it is whole")
        token = answer.get("NextContinuationToken") if answer["IsTruncated"] else None
        if answer["IsTruncated"] and (not token or token in self._tokens):
            raise MalformedResponse("a listing that does not say anew where it goes on")
        if token:
            self._tokens.add(token)
        told, asked = Columns.of(objects), self._asked
        names = [each.get("Prefix", "") for each in prefixes]
        if asked and not all(name.startswith(asked) for name in (*told.keys, *names)):
            raise MalformedResponse(f"a listing with keys that do not begin with {asked!r}")
        return Page(told, names, token)
