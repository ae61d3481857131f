"""Stores whose keys are other ones in their child."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from ..._core.closing import closing
from ..._core.errors import InvalidKey, NotSupported, RefusedKey, StoreError
from ..._core.info import (
    ByteRange,
    Capability,
    ListResult,
    ObjectInfo,
    ReadOptions,
    WriteOptions,
)
from ..._core.keys import check_key
from ..._core.keytransforms import KeyTransformer
from ..._core.protocol import AsyncObjectStore
from ..._core.window import each
from ..base import Keys
from ..pieces import Body, Sink
from .identity import AsyncIdentityStore
from .renaming import Outward, OutwardSink, pieces, renamed, translate

T = TypeVar("T")


class AsyncKeyTransformingStore(AsyncIdentityStore):
    """Keeps each object under the key that a transformer makes of its own.

    What else is in the child stays out of sight and untouched: a key of it is ours only if it can
    be reversed, and if the reverse is transformed to exactly this key again.

    Args:
        store: A store of ours, or any object with the five async verbs.
        transformer: Says which key becomes which. None: all stay as they are.
        timeout: Seconds that one operation may take.
    """

    def __init__(
        self,
        store: AsyncObjectStore,
        transformer: KeyTransformer | None = None,
        *,
        timeout: float | None = None,
    ) -> None:
        super().__init__(store, timeout=timeout)
        self._transformer = KeyTransformer() if transformer is None else transformer
        self._voice: Any = None

    @property
    def transformer(self) -> KeyTransformer:
        """Says which key becomes which."""
        return self._transformer

    @property
    def capabilities(self) -> Capability:  # type: ignore[override]
        """What the child does by itself; in order only if the transformer keeps it."""
        found = self._child.capabilities
        return found if self._promises("keeps_order") else found & ~Capability.ORDERED

    def __repr__(self) -> str:
        shown = repr(self._transformer)
        if type(self).__module__ == f"{__package__}.keys":  # the name says which transformer it is
            shown = shown.partition("(")[2][:-1]
        return f"{type(self).__name__}({', '.join(filter(None, (repr(self._child), shown)))})"

    # -- keys -------------------------------------------------------------------------------

    def transform_key(self, key: str) -> str:
        """The child's key of one of ours."""
        return self._transformer.transform_key(key)

    def reverse_transform_key(self, key: str) -> str:
        """Our key of one of the child's. Raises ``ValueError`` where there is none."""
        return self._transformer.reverse_transform_key(key)

    def _promises(self, name: str) -> bool:
        """Whether the transformer keeps something, and nobody stands between it and us."""
        return not self._has_own_way() and getattr(self._transformer, name, False)

    def _has_own_way(self) -> bool:
        """Whether a subclass transforms keys itself."""
        kind = type(self if self._voice is None else self._voice)
        verbs = (kind.transform_key, kind.reverse_transform_key)
        return any(not verb.__module__.startswith("storage.") for verb in verbs)

    def _hear(self, twin: Any) -> None:
        """Let a subclass of the blocking twin transform keys itself."""
        self._voice = twin
        if not self._has_own_way():
            self._voice = None

    def _transform(self, key: str) -> str:
        return (self if self._voice is None else self._voice).transform_key(key)

    def _reverse(self, key: str) -> str:
        return (self if self._voice is None else self._voice).reverse_transform_key(key)

    def _inner(self, key: str) -> str:
        """The child's key, or an error of ours about this one."""
        try:
            return self._transform(key)
        except InvalidKey:
            raise
        except (LookupError, ValueError) as error:
            raise RefusedKey(str(error.args[0] if error.args else error)) from error

    def _outer(self, inner: str) -> str | None:
        """Our key of one of the child's; None if it is not ours."""
        try:
            key = check_key(self._reverse(inner))
            return key if self._transform(key) == inner else None
        except NotImplementedError as error:
            raise NotSupported("its keys cannot be reversed, so they are not listed") from error
        except (LookupError, ValueError):
            return None

    def _check_key(self, key: str) -> None:
        inner: Any = self._inner(key)
        with Outward(self, {inner: key} if isinstance(inner, str) else {}):
            self._child._check_key(check_key(inner))

    def _at(self, key: str) -> tuple[str, Outward]:
        """The child's key, and what brings its errors out."""
        inner = self._inner(key)
        return inner, Outward(self, {inner: key})

    # -- one object -------------------------------------------------------------------------

    async def _get(self, key: str, options: ReadOptions) -> tuple[Any, ObjectInfo]:
        inner, outward = self._at(key)
        with outward:
            data, info = await self._child._read(inner, options)
        return data, renamed(info, key)

    async def _get_ranges(
        self, key: str, parts: Sequence[ByteRange], if_match: str | None
    ) -> Sequence[bytes]:
        inner, outward = self._at(key)
        with outward:
            return await self._child.get_ranges(inner, parts, if_match=if_match)

    async def _head(self, key: str) -> ObjectInfo:
        inner, outward = self._at(key)
        with outward:
            return renamed(await self._child.head(inner), key)

    async def _exists(self, key: str) -> bool:
        inner, outward = self._at(key)
        with outward:
            return await self._child.exists(inner)

    @asynccontextmanager
    async def _open(self, key: str, options: ReadOptions) -> AsyncIterator[Body]:
        inner, outward = self._at(key)
        with outward:
            async with self._child._reader(inner, options) as reader:
                yield Body(renamed(reader.info, key), pieces(reader, outward))

    async def _put(self, key: str, data: Any, options: WriteOptions) -> ObjectInfo:
        inner, outward = self._at(key)
        with outward:
            return renamed(await self._child._write(inner, data, options), key)

    @asynccontextmanager
    async def _create(self, key: str, options: WriteOptions) -> AsyncIterator[Sink]:
        inner, outward = self._at(key)
        with outward:
            async with self._child._writer(inner, options) as writer:
                sink = OutwardSink(writer, outward)
                try:
                    yield sink
                except BaseException as error:
                    outward.passing = error
                    raise
            sink.info = renamed(writer.info, key)

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        inner, outward = self._at(key)
        with outward:
            await self._child.delete(inner, missing_ok=missing_ok, if_match=if_match)

    async def _copy(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        start, end = self._inner(source), self._inner(target)
        with Outward(self, {end: target, start: source}):
            return renamed(await self._child.copy(start, end, if_absent=if_absent), target)

    async def _move(self, source: str, target: str, if_absent: bool) -> ObjectInfo:
        start, end = self._inner(source), self._inner(target)
        with Outward(self, {end: target, start: source}):
            return renamed(await self._child.move(start, end, if_absent=if_absent), target)

    def _presigning(self, verb: str, key: str) -> Callable[[str, int], Awaitable[str]]:
        presign = super()._presigning(verb, key)

        async def presign_inner(key: str, expiry: int) -> str:
            inner, outward = self._at(key)
            with outward:
                return await presign(inner, expiry)

        return presign_inner

    # -- many -------------------------------------------------------------------------------

    async def _delete_many(
        self, keys: Keys, missing_ok: bool
    ) -> AsyncGenerator[tuple[str, Exception | None], None]:
        ours: defaultdict[str, deque[str]] = defaultdict(deque)
        refused: deque[tuple[str, Exception]] = deque()
        deleting = self._child._delete_many(self._each_inner(keys, ours, refused), missing_ok)
        async with closing(deleting) as outcomes:
            async for inner, error in outcomes:
                key = ours[inner].popleft()
                if not ours[inner]:
                    del ours[inner]
                # An error without a key may be that of several.
                if isinstance(error, StoreError) and error.key == inner:
                    Outward(self, {inner: key}).rename(error)
                yield key, error
                while refused:
                    yield refused.popleft()
        for outcome in refused:
            yield outcome

    async def _each_inner(
        self,
        keys: Keys,
        ours: defaultdict[str, deque[str]],
        refused: deque[tuple[str, Exception]],
    ) -> AsyncGenerator[str, None]:
        """The child's keys, as it asks for them, and beside them which are whose."""
        async with closing(each(keys)) as source:
            async for key in source:
                try:
                    self._check("delete", key)
                    inner = self._inner(key)
                except StoreError as error:
                    refused.append((key, error))
                    continue
                ours[inner].append(key)
                yield inner

    async def _keys(self, prefix: str, start_after: str) -> AsyncIterator[str]:
        above, after = self._bounds(prefix, start_after)
        found = self._child.keys(above, start_after=after)
        async with closing(self._ours(found, str)) as keys:
            async for key, _ in keys:
                if key.startswith(prefix) and key > start_after:
                    yield key

    async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        above, after = self._bounds(prefix, start_after)
        found = self._child.list(above, start_after=after)
        async with closing(self._ours(found, _key_of)) as infos:
            async for key, info in infos:
                if key.startswith(prefix) and key > start_after:
                    yield renamed(info, key)

    async def _ours(
        self, source: AsyncIterator[T], key_of: Callable[[T], str]
    ) -> AsyncGenerator[tuple[str, T], None]:
        """Of a listing of the child what is ours, with our keys."""
        try:
            async with closing(source) as items:
                async for item in items:
                    key = self._outer(key_of(item))
                    if key is not None:
                        yield key, item
        except StoreError as error:
            translate(error, self._outer)
            raise

    def _bounds(self, prefix: str, start_after: str) -> tuple[str, str]:
        """Prefix and start for the child's listing, which may give more than was asked for."""
        transform = getattr(self._transformer, "transform_prefix", None)
        if transform is None or self._has_own_way():
            return "", ""
        starts = start_after and self._promises("keeps_order")
        return transform(prefix), transform(start_after) if starts else ""

    async def _list_with_delimiter(self, prefix: str, delimiter: str) -> ListResult:
        if not self._promises("keeps_levels"):
            # A level of the child may have prefixes under which nothing is ours.
            return await super(AsyncIdentityStore, self)._list_with_delimiter(prefix, delimiter)
        above = self._transformer.transform_prefix(prefix)
        cut = len(above) - len(prefix)
        found = await self._child.list_with_delimiter(above, delimiter)
        ours = ((self._outer(info.key), info) for info in found.objects)
        return ListResult(
            tuple(inner[cut:] for inner in found.prefixes),
            tuple(renamed(info, key) for key, info in ours if key is not None),
        )


def _key_of(info: ObjectInfo) -> str:
    return info.key
