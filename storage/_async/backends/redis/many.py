"""Verbs on many keys, some of them in each request."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from typing import Any

from ...._core.closing import closing
from ...._core.errors import ObjectNotFound, StoreError
from ...._core.values import STREAM
from ...._core.window import pages
from ...base import Items, Keys, Outcome
from .companions import Attributes
from .hooks import AsyncRedisHooks
from .scripts import DELETE, Command
from .server import raised
from .writing import WHOLE

BULK = 64
"""Keys that go in one request."""
HEAVY = 4 * WHOLE
"""Bytes after which a request is full."""
_NEVER = object()


class AsyncRedisMany(AsyncRedisHooks):
    """Verbs on many keys."""

    async def get_many(
        self, keys: Keys, *, missing_ok: bool = False
    ) -> AsyncIterator[tuple[str, bytes]]:
        """Read many objects, some in each request; all else is as in every store."""
        self._check_open("get_many")
        errors: dict[str, Exception] = {}
        async with closing(pages(keys, BULK // 2)) as source:
            async for page in source:
                for key, result in await self._got(page):
                    if not isinstance(result, Exception):
                        yield key, result
                    elif not (missing_ok and isinstance(result, ObjectNotFound)):
                        errors[key] = result
        self._raise_bulk("get_many", errors)

    async def _got(self, page: list[str]) -> list[tuple[str, Any]]:
        """Each key with its bytes or its error."""
        found: dict[str, Any] = {}
        for key in page:
            try:
                self._check("get", key)
                found[key] = None
            except StoreError as error:
                found[key] = error
        fine = [key for key, error in found.items() if error is None]
        replies = await self._together("get_many", [(b"GET", self._names(key)[0]) for key in fine])
        for key, reply in zip(fine, replies, strict=True):
            found[key] = self._failed("get", key, reply, None) or reply
        return [(key, found[key]) for key in page]

    async def _put_many(self, items: Items) -> AsyncGenerator[Outcome, None]:
        async with closing(pages(items, BULK)) as source:
            async for page in source:
                waiting: list[tuple[str, Command]] = []
                weight = 0
                for key, data in page:
                    try:
                        options = self._writing("put", key, False, None, None, None)
                        value = self._as_value(data)
                        short = value is not STREAM and len(value) <= WHOLE
                    except Exception as error:
                        yield key, error
                        continue
                    if short:
                        attributes = Attributes(len(value), options)
                        command = self._putting(key, value, options, attributes)
                        waiting.append((key, command))
                        weight += len(value)
                    if not short or weight >= HEAVY:  # the order of one key's values counts
                        for outcome in await self._put_waiting(waiting):
                            yield outcome
                        waiting, weight = [], 0
                    if not short:
                        yield key, await self._put_alone(key, data)
                for outcome in await self._put_waiting(waiting):
                    yield outcome

    async def _put_waiting(self, waiting: list[tuple[str, Command]]) -> list[Outcome]:
        replies = await self._together("put_many", [command for _, command in waiting])
        outcomes = zip(waiting, replies, strict=True)
        return [(key, self._failed("put", key, reply, _NEVER)) for (key, _), reply in outcomes]

    async def _put_alone(self, key: str, data: Any) -> Exception | None:
        try:
            await self.put(key, data)
        except Exception as error:
            return error
        return None

    async def _delete_many(self, keys: Keys, missing_ok: bool) -> AsyncGenerator[Outcome, None]:
        async def remove(page: list[str]) -> Iterable[Outcome]:
            commands = [DELETE(self._names(key), b"") for key in page]
            replies = await self._together("delete_many", commands, again=missing_ok)
            missing = _NEVER if missing_ok else [0]
            outcomes = zip(page, replies, strict=True)
            return [(key, self._failed("delete", key, reply, missing)) for key, reply in outcomes]

        async with closing(self._delete_by_pages(keys, BULK, remove)) as outcomes:
            async for outcome in outcomes:
                yield outcome

    async def _together(
        self, operation: str, commands: list[Command], *, again: bool = True
    ) -> list[Any]:
        """The replies; where the server was not reached, that is each one's error."""
        if not commands:
            return []
        try:
            return await self._run(operation, None, self._ask(commands, again=again))
        except StoreError as error:
            return [error] * len(commands)

    def _failed(self, operation: str, key: str, reply: Any, missing: object) -> Exception | None:
        """What is wrong with the reply for one key; ``missing`` means that there is no object."""
        if isinstance(reply, StoreError):  # of all keys
            return reply
        try:
            if raised(reply) == missing:
                raise ObjectNotFound("there is no object under this key")
        except StoreError as error:
            return error.located(operation=operation, store=repr(self), key=key)
        return None
