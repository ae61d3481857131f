"""Read repair: a child that lacks what was read, or holds something else, is given it."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import threading
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from ...._core import calls
from ...._core.closing import closing
from ...._core.errors import IntegrityError, ObjectExists, ObjectNotFound, PreconditionFailed
from ...._core.info import READ_ALL, WRITE_OVER, Capability, ObjectInfo, WriteOptions
from ...._core.looplocal import LoopLocal
from ...base import AsyncBaseStore
from .pump import add, content, opened
from .replicas import Replicas

logger = logging.getLogger("storage.fanout")

AT_ONCE = 4
"""Repairs in flight."""
WAITING = 256
"""Repairs that wait; beyond that a child stays as it is until the object is read again."""
SECONDS = 600.0
"""What the repair of one object may take."""
SEEN = 4096
"""Digests of children's objects that are remembered, each with the etag that it belongs to."""
LAST_SECONDS = 10.0
"""How long closing waits for repairs."""


class Watch:
    """Tells a repair whether its object was written meanwhile."""

    void = False


@dataclass(frozen=True, slots=True)
class Job:
    """One object to put right.

    Args:
        key: Its key.
        source: The child that has it.
        targets: Those that may not.
        digest: SHA-256 of what was read, where it was read whole.
        replace: Whether other content is put right too, and not only a lack.
        watch: Says when all this no longer holds.
    """

    key: str
    source: int
    targets: tuple[int, ...]
    digest: str | None
    replace: bool
    watch: Watch


class Repairs:
    """The repairs of one fan-out, in the background.

    Args:
        replicas: The children.
        wanted: Whether anything is repaired at all.
    """

    def __init__(self, replicas: Replicas, wanted: bool) -> None:
        self._replicas = replicas
        self._wanted = wanted
        self._lock = threading.Lock()
        self._watches: dict[str, set[Watch]] = {}
        self._changing: dict[str, int] = {}
        self._seen: dict[tuple[int, str], tuple[str | None, str]] = {}
        self._tasks: LoopLocal[dict[str, asyncio.Task[None]]] = LoopLocal(dict)
        self._room = LoopLocal(lambda: asyncio.Semaphore(AT_ONCE))

    def __reduce__(self) -> tuple[type[Repairs], tuple[Replicas, bool]]:
        return Repairs, (self._replicas, self._wanted)

    # -- what must not cross a repair ---------------------------------------------------------

    @contextmanager
    def watching(self, key: str) -> Iterator[Watch]:
        """While an object is read, or repaired: notice all writes through this store."""
        watch = Watch()
        if not self._wanted:
            yield watch
            return
        with self._lock:
            watch.void = key in self._changing
            self._watches.setdefault(key, set()).add(watch)
        try:
            yield watch
        finally:
            self._unwatch(key, watch)

    @asynccontextmanager
    async def changing(self, key: str) -> AsyncIterator[None]:
        """While an object is written or removed: nothing is repaired by what was read before."""
        if not self._wanted:
            yield
            return
        with self._lock:
            self._changing[key] = self._changing.get(key, 0) + 1
            for watch in self._watches.get(key, ()):
                watch.void = True
        try:
            task = self._tasks.get().get(key)
            if task is not None:
                task.cancel()
                await asyncio.wait([task])
            yield
        finally:
            with self._lock:
                self._changing[key] -= 1
                if not self._changing[key]:
                    del self._changing[key]

    # -- the work ---------------------------------------------------------------------------

    async def start(
        self,
        watch: Watch,
        key: str,
        source: int,
        targets: Iterable[int],
        *,
        data: object = None,
        replace: bool = False,
    ) -> None:
        """Begin to repair an object, unless that is under way.

        Args:
            watch: From `watching`, since before the read.
            key: The object's key.
            source: The child that has it.
            targets: Those that lack it, or may hold something else.
            data: All of its bytes, where they were read.
            replace: Whether other content is put right too.
        """
        tasks, targets = self._tasks.get(), tuple(targets)
        if not (self._wanted and targets):
            return
        digest = await calls.call(_sha256, data) if isinstance(data, bytes) else None
        if key in tasks or len(tasks) >= WAITING or (replace and digest is None):
            return
        with self._lock:
            if watch.void:
                return
            job = Job(key, source, targets, digest, replace, Watch())
            self._watches.setdefault(key, set()).add(job.watch)
        tasks[key] = asyncio.create_task(self._run(job))
        tasks[key].add_done_callback(lambda _: self._done(job, tasks))

    def _done(self, job: Job, tasks: dict[str, asyncio.Task[None]]) -> None:
        del tasks[job.key]
        self._unwatch(job.key, job.watch)

    def _unwatch(self, key: str, watch: Watch) -> None:
        with self._lock:
            self._watches[key].discard(watch)
            if not self._watches[key]:
                del self._watches[key]

    async def _run(self, job: Job) -> None:
        async with self._room.get():
            for index in job.targets:
                try:
                    async with asyncio.timeout(SECONDS):
                        await self._mend(job, index)
                except (ObjectNotFound, ObjectExists, PreconditionFailed) as error:
                    logger.info("%r was written meanwhile, not repaired: %s", job.key, error)
                except Exception as error:
                    name = f"{index}: {self._replicas.children[index]!r}"
                    logger.warning("%r could not be repaired in %s: %s", job.key, name, error)

    async def _mend(self, job: Job, index: int) -> None:
        """Give one child the object, if it lacks it, and see that it has it then."""
        try:
            held, info = await self._held(index, job)
        except ObjectNotFound:
            options = self._options(index, None)
        else:
            if not job.replace or held == job.digest:
                return
            options = self._options(index, info)
        copied = await self._copy(job, index, options)
        if (await content(self._replicas, index, job.key))[0] != copied and not job.watch.void:
            raise IntegrityError("the child gives other bytes than it was given", key=job.key)
        logger.info("%r is repaired in %r", job.key, self._replicas.children[index])

    async def _held(self, index: int, job: Job) -> tuple[str, ObjectInfo]:
        """What a child holds: its digest, which is none where the child finds it broken."""
        info = await self._replicas.children[index].head(job.key)
        etag, digest = self._seen.get((index, job.key), (None, ""))
        if etag is not None and etag == info.etag:
            return digest, info  # it was read before, and is the same
        try:
            digest, info = await content(self._replicas, index, job.key)
        except IntegrityError:
            return "", info
        with self._lock:
            self._seen[index, job.key] = info.etag, digest
            if len(self._seen) > SEEN:
                del self._seen[next(iter(self._seen))]
        return digest, info

    def _options(self, index: int, found: ObjectInfo | None) -> WriteOptions:
        """The condition that lets no newer write be overwritten, where the child knows it."""
        can = self._replicas.children[index].capabilities
        if found is None:
            return WriteOptions(if_absent=True) if Capability.IF_ABSENT in can else WRITE_OVER
        return WriteOptions(if_match=found.etag) if Capability.IF_MATCH in can else WRITE_OVER

    async def _copy(self, job: Job, index: int, options: WriteOptions) -> str:
        """Copy the object; publishes nothing but what was read. Gives its digest."""
        target = self._replicas.children[index]
        await self._replicas.settled(index)
        pump = opened(self._replicas, job.source, job.key, READ_ALL)
        async with closing(pump) as source:
            options = self._attributed(job, target, options, await anext(source))
            digest = hashlib.sha256()
            async with target._writer(job.key, options) as writer:
                async for chunk in source:
                    await add(digest, chunk)
                    await writer.write(chunk)
                if job.watch.void or digest.hexdigest() != (job.digest or digest.hexdigest()):
                    raise PreconditionFailed("the object is another one by now", key=job.key)
        return digest.hexdigest()

    def _attributed(
        self, job: Job, target: AsyncBaseStore, options: WriteOptions, info: ObjectInfo
    ) -> WriteOptions:
        both = target.capabilities & self._replicas.children[job.source].capabilities
        if Capability.ATTRIBUTES not in both:
            return options
        return WriteOptions(options.if_absent, options.if_match, info.content_type, info.metadata)

    async def aclose(self) -> None:
        """Wait for what has begun, but not for ever."""
        tasks = list((self._tasks.peek() or {}).values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=LAST_SECONDS)
            await self._replicas.leave(late)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
