"""``GET`` and ``HEAD`` of an object."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from .._async.base import AsyncBaseStore
from .._async.streams import AsyncReader
from .._core.errors import PreconditionFailed, StoreUnavailable
from .._core.info import READ_ALL, ByteRange, Capability, ObjectInfo, ReadOptions
from . import conditions, dates, kinds, ranges
from .messages import Request
from .ranges import Bounds, Multipart
from .replies import NOSNIFF, Headers, Refusal
from .sending import Outgoing

TRIES = 4
"""How often an object may become another one between the look at it and the read."""


@dataclass(frozen=True)
class Manner:
    """How objects are shown.

    Args:
        cache_control: That header's value; None: no such header.
        trusted: Whether scripts in the objects may do all that the site's own may.
        attachment: Whether to be saved rather than shown.
        filename: The name to be saved under; None: the last part of the key.
        content_type: In place of the object's own.
    """

    cache_control: str | None = "no-cache"
    trusted: bool = False
    attachment: bool = False
    filename: str | None = None
    content_type: str | None = None


@dataclass(frozen=True)
class Plan:
    """What is answered, if the object is what it was taken for.

    Args:
        status: 200, 206, 304, 412 or 416.
        parts: What is sent of it; none: all.
    """

    status: int
    parts: tuple[Bounds, ...] = ()

    @property
    def sends(self) -> bool:
        """Whether any of its bytes."""
        return self.status in (200, 206)


class Reading:
    """One request for an object.

    Args:
        store: Where it is.
        key: The object's key there.
        request: What is asked for.
        manner: How it is shown.
    """

    def __init__(self, store: AsyncBaseStore, key: str, request: Request, manner: Manner) -> None:
        self._store = store
        self._key = key
        self._request = request
        self._manner = manner
        whole = request.method != "GET"
        self._wanted = [] if whole else ranges.parsed(request.header("range"))

    async def answer(self, outgoing: Outgoing) -> None:
        """Send it, or what is known of it."""
        if self._request.method == "HEAD":
            info = await self._store.head(self._key)
            plan = self._plan(info)
            await self._head(outgoing, plan, info)
        else:
            async with self._opened() as (plan, info, reader):
                if plan.sends and reader is None:
                    await self._several(outgoing, plan, info)
                else:
                    await self._head(outgoing, plan, info)
                    if reader is not None:
                        await outgoing.pieces(reader, _length(plan, info))
        # Not before everything is closed: then the server calls the exchange over.
        await outgoing.end()

    def _plan(self, info: ObjectInfo) -> Plan:
        """What is answered if the object is this one."""
        status = conditions.failing(self._request, info)
        if status is not None:
            return Plan(status)
        if not self._wanted or info.size is None or not conditions.ranged(self._request, info):
            return Plan(200)
        try:
            parts = ranges.chosen(self._wanted, info.size)
        except ranges.Unsatisfiable:
            return Plan(416)
        if len(parts) > 1 and info.etag is None:  # they could be of several versions
            return Plan(200)
        return Plan(206, tuple(parts)) if parts else Plan(200)

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[tuple[Plan, ObjectInfo, AsyncReader | None]]:
        """The object, opened for what is to be sent of it: decided by the very bytes' info.

        One request to the store where there is no condition and at most one range.
        """
        info: ObjectInfo | None = None
        if self._request.has(*conditions.CONDITIONS) or len(self._wanted) > 1:
            info = await self._store.head(self._key)
        for _ in range(TRIES):
            plan = None if info is None else self._plan(info)
            if info is not None and plan is not None and (not plan.sends or len(plan.parts) > 1):
                yield plan, info, None
                return
            part = next(iter(self._wanted), None)
            if plan is not None:
                part = ByteRange(*plan.parts[0]) if plan.parts else None
            options = READ_ALL if part is None else ReadOptions(part)
            async with self._store._reader(self._key, options) as reader:
                info = reader.info
                plan = self._plan(info)
                if plan.sends and _bounds(part, info) == plan.parts:
                    yield plan, info, reader
                    return
        raise StoreUnavailable("the object changes all the time")

    async def _head(self, outgoing: Outgoing, plan: Plan, info: ObjectInfo) -> None:
        """Send the head of an answer that is not of several parts."""
        headers = [*self._headers(info)]
        if plan.status in (412, 416):
            size = (("content-range", f"bytes */{info.size}"),) if plan.status == 416 else ()
            reason = "no such bytes" if plan.status == 416 else "a condition does not hold"
            raise Refusal(plan.status, reason, size)
        if plan.sends:
            headers.append(("content-type", self._kind(info)))
            length = _length(plan, info)
            if length is not None:
                headers += [("content-length", str(length)), ("accept-ranges", "bytes")]
            elif not self._request.framed:
                raise Refusal(505, "its length is not known, which takes HTTP/1.1")
        if plan.parts and info.size is not None:
            headers.append(("content-range", ranges.content_range(plan.parts[0], info.size)))
        await outgoing.start(plan.status, headers)

    async def _several(self, outgoing: Outgoing, plan: Plan, info: ObjectInfo) -> None:
        """Send several parts, all of one version."""
        assert info.size is not None
        frame = Multipart(secrets.token_hex(16), self._kind(info), [*plan.parts], info.size)
        kind = ("content-type", frame.content_type)
        length = ("content-length", str(frame.length))
        await outgoing.start(206, [*self._headers(info), kind, length])
        for head, (start, end) in zip(frame.heads, plan.parts, strict=True):
            await outgoing.piece(head)
            pins = Capability.READ_CONDITIONS in self._store.capabilities
            options = ReadOptions(ByteRange(start, end), info.etag if pins else None)
            async with self._store._reader(self._key, options) as reader:
                if reader.info.etag != info.etag:
                    raise PreconditionFailed("the object was changed between two of its parts")
                await outgoing.pieces(reader, end - start)
        await outgoing.piece(frame.end)

    def _headers(self, info: ObjectInfo) -> Headers:
        """What is told of the object whatever is sent of it."""
        found: list[tuple[str, str]] = [NOSNIFF]
        tag = conditions.tag_of(info.etag)
        if tag is not None:
            found.append(("etag", tag))
        if info.modified is not None:
            found.append(("last-modified", dates.written(info.modified)))
        manner = self._manner
        if manner.cache_control is not None:
            found.append(("cache-control", manner.cache_control))
        if not manner.trusted:
            found.append(("content-security-policy", "sandbox"))
        if manner.attachment or manner.filename is not None:
            name = manner.filename or kinds.name_of(self._key)
            found.append(
                ("content-disposition", kinds.disposition(name, attachment=manner.attachment))
            )
        return found

    def _kind(self, info: ObjectInfo) -> str:
        return kinds.kind_of(self._manner.content_type or info.content_type, self._key)


def _bounds(part: ByteRange | None, info: ObjectInfo) -> tuple[Bounds, ...] | None:
    """What was opened, as a plan has it; None where nobody can tell."""
    if part is None:
        return ()
    return None if info.size is None else (part.resolve(info.size),)


def _length(plan: Plan, info: ObjectInfo) -> int | None:
    """Bytes that are sent of the object."""
    return sum(end - start for start, end in plan.parts) if plan.parts else info.size
