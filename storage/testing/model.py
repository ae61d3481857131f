"""Any sequence of calls does what a dict would do."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
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

T = TypeVar("T")

KEYS = st.sampled_from(
    ["a", "b", "a/b", "a/c", "dir/x/1", "dir/x/2", "dir/y", "A", "é", "%2e", "a b", "\U0001f600"]
)
DATA = st.binary(max_size=30) | st.integers(0, 3).map(lambda n: b"%d" % n * 70_000)
PIECES = st.lists(DATA, max_size=4)


class StoreMachine(RuleBasedStateMachine):
    """A store beside a dict; rules call the store, and expect of it what the dict did."""

    def __init__(self, bench: Bench) -> None:
        super().__init__()
        self._bench = bench
        self._model: dict[str, bytes] = {}
        self._etags: dict[str, str] = {}

    @initialize()
    def open(self) -> None:
        self._store = self._bench.open()

    def teardown(self) -> None:
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
        try:
            self._run(work)
        except InvalidKey:
            assert key not in self._model
        else:
            self._model[key] = data

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

    @rule(key=KEYS)
    def get(self, key: str) -> None:
        assert self._expect(key, self._store.get(key)) == self._model.get(key)
        assert self._run(self._store.exists(key)) is (key in self._model)

    @rule(key=KEYS, start=st.integers(0, 40), size=st.integers(0, 100_000))
    def get_range(self, key: str, start: int, size: int) -> None:
        data = self._expect(key, self._store.get_range(key, start, start + size))
        if data is not None:
            assert data == self._model[key][start : start + size]

    @rule(key=KEYS)
    def head(self, key: str) -> None:
        info = self._expect(key, self._store.head(key))
        if info is not None:
            assert (info.key, info.size) == (key, len(self._model[key]))

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
    @rule(key=KEYS)
    def remember_etag(self, key: str) -> None:
        info = self._expect(key, self._store.head(key))
        if info is not None and info.etag is not None:
            self._etags[key] = info.etag

    @precondition(lambda self: self._has(Capability.IF_MATCH))
    @rule(key=KEYS, data=DATA)
    def put_if_match(self, key: str, data: bytes) -> None:
        if key not in self._etags:
            return
        current = self._run(self._store.head(key)).etag if key in self._model else None
        try:
            self._write(key, data, self._store.put(key, data, if_match=self._etags[key]))
        except PreconditionFailed:
            assert current != self._etags[key]
        else:
            assert current == self._etags[key]

    @rule()
    def reopen(self) -> None:
        self._store = self._bench.reopen(self._store)

    @invariant()
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


async def check_model(kit: Conformance, *, examples: int = 10, steps: int = 25) -> None:
    """Run sequences of random calls on fresh stores, each beside a dict.

    Args:
        kit: Makes the stores: an instance of any subclass of `StoreConformance`.
        examples: How many sequences.
        steps: How many calls each has.
    """
    loop = asyncio.get_running_loop()
    profile = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),  # pyright: ignore[reportArgumentType]
    )

    def run() -> None:
        # Any callable that makes a machine does, whatever its annotation says.
        make: Any = lambda: StoreMachine(Bench(kit, loop))  # noqa: E731
        run_state_machine_as_test(make, settings=profile)

    await asyncio.to_thread(run)


class ModelChecks(Conformance):
    """The store beside a dict."""

    async def test_model(self) -> None:
        await check_model(self, examples=max(3, self.examples // 10), steps=self.steps)
