"""Any sequence of calls does what a dict would do."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from .._async.base import AsyncBaseStore
from .._core.errors import (
    InvalidKey,
    NotSupported,
    ObjectExists,
    ObjectNotFound,
    PreconditionFailed,
)
from .._core.info import Capability
from .base import Conformance
from .harness import profile

T = TypeVar("T")

# Few, so that most calls meet an object.
KEYS = st.sampled_from(["a", "b", "a/b", "dir/x/1", "dir/x/2", "A", "\U0001f600"])
DATA = (
    st.binary(max_size=30)
    | st.integers(0, 9).map(lambda n: b"%d" % n * 4)  # of one size, and not of one content
    | st.integers(0, 3).map(lambda n: b"%d" % n * 70_000)
)
PIECES = st.lists(DATA, max_size=4)


class StoreMachine(RuleBasedStateMachine):
    """A store beside a dict; rules call the store, and expect of it what the dict did."""

    def __init__(self, bench: Bench) -> None:
        super().__init__()
        self._bench = bench
        self._model: dict[str, bytes] = {}
        self._stale: dict[str, str] = {}
        """Etags that objects had before."""

    @initialize()
    def open(self) -> None:
        self._store = self._bench.open()

    def teardown(self) -> None:
        try:
            self.holds_the_same()
        finally:
            self._bench.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._bench.run(work)

    def _has(self, capability: Capability) -> bool:
        return capability in self._store.capabilities

    def _expect(self, key: str, work: Coroutine[Any, Any, T]) -> T | None:
        """Do the work, which must find the key missing exactly if the dict does."""
        try:
            result = self._run(work)
        except ObjectNotFound:
            assert key not in self._model
            return None
        assert key in self._model, "an object is there that should not be"
        return result

    def _write(self, key: str, data: bytes, work: Coroutine[Any, Any, Any]) -> None:
        before = self._etag(key)
        try:
            self._run(work)
        except InvalidKey:
            assert key not in self._model
            return
        if before is not None:
            self._stale[key] = before
            changed = data != self._model[key]
            assert not changed or before != self._etag(key), "an etag outlived its content"
        self._model[key] = data

    def _etag(self, key: str) -> str | None:
        return self._run(self._store.head(key)).etag if key in self._model else None

    @rule(key=KEYS, data=DATA)
    def put(self, key: str, data: bytes) -> None:
        self._write(key, data, self._store.put(key, data))

    @rule(key=KEYS, pieces=PIECES)
    def put_stream(self, key: str, pieces: list[bytes]) -> None:
        self._write(key, b"".join(pieces), self._store.put(key, iter(pieces)))

    @rule(key=KEYS, pieces=PIECES, fails=st.booleans())
    def write(self, key: str, pieces: list[bytes], fails: bool) -> None:
        async def work() -> None:
            async with self._store.open_writer(key) as writer:
                for piece in pieces:
                    await writer.write(piece)
                if fails:
                    raise ZeroDivisionError

        try:
            self._write(key, b"".join(pieces), work())
        except ZeroDivisionError:
            assert fails

    @rule(key=KEYS, start=st.integers(0, 5), size=st.integers(0, 5))
    def look(self, key: str, start: int, size: int) -> None:
        """Read an object in every way."""
        assert self._expect(key, self._store.get(key)) == self._model.get(key)
        assert self._run(self._store.exists(key)) is (key in self._model)
        part = self._expect(key, self._store.get_range(key, start, start + size))
        rest = self._expect(key, self._store.get_range(key, -size - 1))
        info = self._expect(key, self._store.head(key))
        if info is not None:
            data = self._model[key]
            assert part == data[start : start + size]
            assert rest == data[-size - 1 :]
            assert info.key == key
            assert info.size in (len(data), None)

    @rule(key=KEYS, missing_ok=st.booleans())
    def delete(self, key: str, missing_ok: bool) -> None:
        work = self._store.delete(key, missing_ok=missing_ok)
        if missing_ok:
            self._run(work)
        else:
            self._expect(key, work)
        self._model.pop(key, None)

    @rule(source=KEYS, key=KEYS, moves=st.booleans())
    def copy(self, source: str, key: str, moves: bool) -> None:
        verb = self._store.move if moves else self._store.copy
        try:
            done = self._expect(source, verb(source, key))
        except InvalidKey:
            assert key not in self._model
            return
        if done is not None:
            self._model[key] = self._model[source]
            if moves and source != key:
                del self._model[source]

    @rule(prefix=st.sampled_from(["", "a", "a/", "dir/", "dir/x", "z", "\U0001f600"]))
    def list_prefix(self, prefix: str) -> None:
        async def work() -> list[tuple[str, int | None]]:
            return [(info.key, info.size) async for info in self._store.list(prefix)]

        found = self._run(work())
        expected = sorted(key for key in self._model if key.startswith(prefix))
        keys = [key for key, _ in found]
        assert (keys if self._has(Capability.ORDERED) else sorted(keys)) == expected
        assert all(size in (len(self._model[key]), None) for key, size in found)

    @rule(key=KEYS, data=DATA)
    def put_if_absent(self, key: str, data: bytes) -> None:
        try:
            self._write(key, data, self._conditional(key, data))
        except ObjectExists:
            assert key in self._model
        except NotSupported:
            assert not self._has(Capability.IF_ABSENT)

    async def _conditional(self, key: str, data: bytes) -> None:
        await self._store.put(key, data, if_absent=True)
        assert key not in self._model, "if_absent has replaced an object"

    @precondition(lambda self: self._has(Capability.IF_MATCH))
    @rule(key=KEYS, data=DATA, stale=st.booleans())
    def put_if_match(self, key: str, data: bytes, stale: bool) -> None:
        current = self._etag(key)
        etag = self._stale.get(key) if stale else current
        if etag is None:
            return
        try:
            self._write(key, data, self._store.put(key, data, if_match=etag))
        except PreconditionFailed:
            assert current != etag
        else:
            assert current == etag

    @rule()
    def reopen(self) -> None:
        self._store = self._bench.reopen(self._store)

    @rule()
    def holds_the_same(self) -> None:
        async def work() -> dict[str, bytes]:
            return {key: await self._store.get(key) async for key in self._store.keys()}

        assert self._run(work()) == self._model


class Bench:
    """Opens stores for the machine, on the loop that the checks run on.

    Args:
        kit: Knows how to make and reopen a store.
        loop: The running loop; the machine itself runs in another thread.
    """

    def __init__(self, kit: Conformance, loop: asyncio.AbstractEventLoop) -> None:
        self._kit = kit
        self._loop = loop
        self._stack = AsyncExitStack()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def open(self) -> AsyncBaseStore:
        return self.run(self._stack.enter_async_context(self._kit.opened()))

    def reopen(self, store: AsyncBaseStore) -> AsyncBaseStore:
        if type(self._kit).reopen is Conformance.reopen:
            return store
        return self.run(self._stack.enter_async_context(self._kit.reopened(store)))

    def close(self) -> None:
        self.run(self._stack.aclose())


async def check_model(kit: Conformance, *, examples: int = 30, steps: int = 30) -> None:
    """Run sequences of random calls on fresh stores, each beside a dict.

    Args:
        kit: Makes the stores: an instance of any subclass of `StoreConformance`.
        examples: How many sequences.
        steps: How many calls each has.
    """
    loop = asyncio.get_running_loop()
    how = profile(examples, shrinks=kit.shrinks, stateful_step_count=steps)

    def run() -> None:
        # Any callable that makes a machine does, whatever its annotation says.
        make: Any = lambda: StoreMachine(Bench(kit, loop))  # noqa: E731
        run_state_machine_as_test(make, settings=how)

    await asyncio.to_thread(run)


class ModelChecks(Conformance):
    """The store beside a dict."""

    async def test_model(self) -> None:
        await check_model(self, examples=max(4, self.examples // 3), steps=self.steps)
