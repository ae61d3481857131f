"""Random stacks of wrappers do what a dict would do, whatever is called on them."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, run_state_machine_as_test

from storage import aioutils
from storage.aiodb import AsyncSqliteStore
from storage.object import AsyncBaseStore, AsyncDictStore
from storage.testing.harness import profile
from storage.testing.model import StoreMachine
from storage.utils import PrefixKeyTransformer, UrlEncodingKeyTransformer
from tests.wrappers.crowd import CrowdedStore

T = TypeVar("T")
Layer = Callable[[Any, AsyncBaseStore], AsyncBaseStore]


def with_arguments(*args: Any, **options: Any) -> Layer:
    """A wrapper of one store, which takes more."""
    return lambda kind, store: kind(store, *args, **options)


LAYERS: dict[str, Layer] = {
    "AsyncBase64Store": with_arguments(),
    "AsyncCachingStore": lambda kind, store: kind(store, AsyncDictStore()),
    "AsyncChaosStore": with_arguments(1, latency=0.1, seconds=0.0001),
    "AsyncChecksumStore": with_arguments(),
    "AsyncCircuitBreakerStore": with_arguments(),
    "AsyncEncryptingStore": with_arguments(bytes(range(32))),
    "AsyncFanoutStore": lambda kind, store: kind([store, AsyncDictStore()]),
    "AsyncGzipStore": with_arguments(),
    "AsyncHashPrefixStore": with_arguments(),
    "AsyncHedgeStore": with_arguments(delay=10),
    "AsyncIdentityStore": with_arguments(),
    "AsyncKeyTransformingStore": with_arguments(),
    "AsyncKeyValidatingStore": with_arguments(len),
    "AsyncLimitStore": with_arguments(1, 1000),
    "AsyncLoggingStore": with_arguments(),
    "AsyncMetricsStore": with_arguments(),
    "AsyncNotifyingStore": with_arguments(),
    "AsyncPrefixStore": with_arguments("p/"),
    "AsyncRegexRoutingStore": with_arguments(
        [("^[a-m]", PrefixKeyTransformer("early:")), ("", UrlEncodingKeyTransformer())]
    ),
    "AsyncRegexValidatingStore": with_arguments(re.compile("", re.DOTALL)),
    "AsyncRetryStore": with_arguments(),
    "AsyncRoutingStore": lambda kind, store: kind([("a", AsyncDictStore()), ("", store)]),
    "AsyncSingleflightStore": with_arguments(),
    "AsyncThrottleStore": with_arguments(1e9, 1e9),
    "AsyncTimeoutStore": with_arguments(60),
    "AsyncTracingStore": with_arguments(),
    "AsyncUrlEncodingStore": with_arguments(),
    "AsyncZstdStore": with_arguments(),
}
"""One line for each wrapper that takes any key and any bytes, and gives back the same."""
NAMES = sorted(name for name in LAYERS if hasattr(aioutils, name))

BELOW: dict[str, Callable[[Path], Any]] = {
    "memory": lambda place: AsyncDictStore(),
    "crowd": lambda place: CrowdedStore(),
    "sqlite": lambda place: AsyncSqliteStore(place / "objects.db", durable=False),
}


class StackBench:
    """Makes stacks, and runs what is called on them.

    Args:
        below: Makes the store at the bottom.
    """

    def __init__(self, below: Callable[[Path], Any]) -> None:
        self._below = below
        self._folder = tempfile.TemporaryDirectory()
        self._runner = asyncio.Runner()
        self._open: list[AsyncBaseStore] = []

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a call to its end."""
        return self._runner.run(work)

    def stacked(self, names: list[str]) -> AsyncBaseStore:
        """A new stack, outermost first."""
        bottom: AsyncBaseStore = self._below(Path(self._folder.name))
        store = bottom
        for name in reversed(names):
            store = LAYERS[name](getattr(aioutils, name), store)
        self._open += [store, bottom]
        self.run(bottom.put("first", b""))  # the first put makes the store
        self.run(bottom.delete("first"))
        self.run(store.__aenter__())
        return store

    def reopen(self, store: AsyncBaseStore) -> AsyncBaseStore:
        """The same: what it is made of is tested elsewhere."""
        return store

    def close(self) -> None:
        """Leave the stacks."""
        for store in self._open:
            self.run(store.aclose())
        self._runner.close()
        self._folder.cleanup()


class StackMachine(StoreMachine):
    """A stack beside a dict."""

    _bench: Any

    @initialize(names=st.lists(st.sampled_from(NAMES), min_size=3, max_size=3))
    def open(self, names: list[str]) -> None:
        self._store = self._bench.stacked(names)


@pytest.mark.allow_blocking("the machine runs a loop for each call")
@pytest.mark.parametrize(("below", "examples"), [("memory", 20), ("crowd", 8), ("sqlite", 4)])
def test_three_wrappers_are_like_a_dict(below: str, examples: int) -> None:
    def make() -> StackMachine:
        bench: Any = StackBench(BELOW[below])
        return StackMachine(bench)

    # Any callable that makes a machine does, whatever its annotation says.
    machine: Any = make
    how = profile(examples, shrinks=True, stateful_step_count=15)
    run_state_machine_as_test(machine, settings=how)
