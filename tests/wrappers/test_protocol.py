"""Every verb of every wrapper, natively: none of them may fall back on what others make of it.

A wrapper that loses a hook of its child still answers, only slowly, or not atomically, or with
whole objects in memory. So each one is put around a store that notes which hook was reached.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from storage import aioutils, utils
from storage.object import AsyncBaseStore, NotSupported
from tests.wrappers.recording import (
    HOOKS,
    NOT_HANDED_ON,
    RecordingStore,
    hooks_of_the_base,
)

KEY, VALUE = "a", b"some value"


@dataclass(frozen=True)
class Case:
    """How a wrapper is made and used.

    Args:
        make: Takes the class and a function that makes children.
        key: A key that it takes.
        value: A value that it takes.
        streams: Whether values may come in pieces.
    """

    make: Callable[[Any, Callable[[], RecordingStore]], AsyncBaseStore] = lambda kind, child: kind(
        child()
    )
    key: str = KEY
    value: Any = VALUE
    streams: bool = True


def with_arguments(*args: Any, **options: Any) -> Callable[[Any, Any], AsyncBaseStore]:
    """A wrapper of one child, which takes more."""
    return lambda kind, child: kind(child(), *args, **options)


PLAIN = Case()
WRAPPERS: dict[str, Case] = {
    "AsyncBase64Store": PLAIN,
    "AsyncBufferStore": PLAIN,
    "AsyncCachingStore": Case(lambda kind, child: kind(child(), child())),
    "AsyncChaosStore": PLAIN,
    "AsyncCircuitBreakerStore": PLAIN,
    "AsyncHedgeStore": PLAIN,
    "AsyncChecksumStore": PLAIN,
    "AsyncEncryptingStore": Case(with_arguments(bytes(32))),
    "AsyncExceptionLoggingStore": PLAIN,
    "AsyncFanoutStore": Case(lambda kind, child: kind([child(), child()])),
    "AsyncGzipStore": PLAIN,
    "AsyncHashPrefixStore": PLAIN,
    "AsyncIdentityStore": PLAIN,
    "AsyncJsonStore": Case(value={"a": 1}, streams=False),
    "AsyncKeyTransformingStore": PLAIN,
    "AsyncKeyValidatingStore": Case(with_arguments(len)),
    "AsyncLimitStore": Case(with_arguments(4)),
    "AsyncLoggingStore": PLAIN,
    "AsyncMetricsStore": PLAIN,
    "AsyncMirroringStore": Case(lambda kind, child: kind([child(), child()])),
    "AsyncNotifyingStore": PLAIN,
    "AsyncPrefixStore": Case(with_arguments("p/")),
    "AsyncReadonlyStore": PLAIN,
    "AsyncRegexRoutingStore": Case(
        # by its name: the transformers come with this store
        lambda kind, child: kind(child(), [("", vars(utils)["KeyTransformer"]())])
    ),
    "AsyncRegexValidatingStore": Case(with_arguments("a")),
    "AsyncRetryStore": PLAIN,
    "AsyncSingleflightStore": PLAIN,
    "AsyncRoutingStore": Case(lambda kind, child: kind([("", child())])),
    "AsyncTextEncodingStore": Case(value="text"),
    "AsyncTTLStore": PLAIN,
    "AsyncThrottleStore": PLAIN,
    "AsyncTimeoutStore": Case(with_arguments(5)),
    "AsyncTracingStore": PLAIN,
    "AsyncTransformingStore": PLAIN,
    "AsyncUrlEncodingStore": PLAIN,
    "AsyncUrlValidatingStore": Case(key="https://example.org/a"),
    "AsyncWriteonlyStore": PLAIN,
    "AsyncZstdStore": PLAIN,
}
"""One line for each wrapper that `storage.aioutils` exports; a line too many does no harm."""


async def _through(iterator: Any) -> None:
    async for _ in iterator:
        pass


async def _read(reader: Any) -> None:
    async with reader:
        await reader.read()


async def _write(writer: Any, value: Any) -> None:
    async with writer:
        await writer.write(value)


VERBS: dict[str, tuple[str, Callable[[Any, Case], Any]]] = {
    "get": ("_get", lambda store, case: store.get(case.key)),
    "get_with_info": ("_get", lambda store, case: store.get_with_info(case.key)),
    "get_range": ("_get", lambda store, case: store.get_range(case.key, 1, 3)),
    "get_ranges": ("_get_ranges", lambda store, case: store.get_ranges(case.key, [(0, 1)])),
    "get_many": ("_get", lambda store, case: _through(store.get_many([case.key]))),
    "head": ("_head", lambda store, case: store.head(case.key)),
    "exists": ("_exists", lambda store, case: store.exists(case.key)),
    "stream": ("_open", lambda store, case: _through(store.stream(case.key))),
    "open_reader": ("_open", lambda store, case: _read(store.open_reader(case.key))),
    "put": ("_put", lambda store, case: store.put(case.key, case.value)),
    "put_stream": (
        "_create",
        lambda store, case: store.put(case.key, iter([case.value]) if case.streams else case.value),
    ),
    "put_many": ("_put", lambda store, case: store.put_many({case.key: case.value})),
    "open_writer": (
        "_create",
        lambda store, case: _write(store.open_writer(case.key), case.value),
    ),
    "delete": ("_delete", lambda store, case: store.delete(case.key)),
    "delete_many": ("_delete_many", lambda store, case: store.delete_many([case.key])),
    "copy": ("_copy", lambda store, case: store.copy(case.key, case.key + "2")),
    "move": ("_move", lambda store, case: store.move(case.key, case.key + "2")),
    "keys": ("_keys", lambda store, case: _through(store.keys())),
    "list": ("_list", lambda store, case: _through(store.list())),
    "list_with_delimiter": (
        "_list_with_delimiter",
        lambda store, case: store.list_with_delimiter(),
    ),
    "presigned_get": ("presigned_get", lambda store, case: store.presigned_get(case.key)),
    "presigned_put": ("presigned_put", lambda store, case: store.presigned_put(case.key)),
}
"""Which hook of the child each verb has to reach."""

OTHERWISE: dict[tuple[str, str], tuple[str, str]] = {
    ("AsyncEncryptingStore", "copy"): ("_open _create", "a sealed object is bound to its key"),
    ("AsyncEncryptingStore", "move"): (
        "_open _create _delete",
        "a sealed object is bound to its key",
    ),
    ("AsyncEncryptingStore", "get_range"): ("_open _get", "its header is read by itself"),
    ("AsyncEncryptingStore", "get_ranges"): ("_open _get", "its header is read by itself"),
    ("AsyncCachingStore", "get_ranges"): ("_get", "a plain entry is read whole"),
    ("AsyncJsonStore", "put_stream"): ("_put", "its values never come in pieces"),
}
"""Verbs of wrappers that reach other hooks too, by what they are: these hooks, and why."""

_CACHING = dict.fromkeys(
    ("put", "put_many", "put_stream", "open_writer", "copy", "move", "delete_many"),
    ("_delete", "what is cached goes first, so that the cache never holds what is wrong"),
)
_DECODING = {
    "get_range": ("_open", "a part is decoded from a stream, which stops where it ends"),
    "get_ranges": ("_open", "a part is decoded from a stream, which stops where it ends"),
}
_RENAMING = {
    "list_with_delimiter": ("_list", "the levels of other keys are not those of these"),
}
_ASKED = "whether an object has expired stands in its metadata"
_EXPIRING = {
    **dict.fromkeys(("exists", "copy", "move", "delete"), ("_head", _ASKED)),
    **dict.fromkeys(("keys", "list_with_delimiter"), ("_list", _ASKED)),
    "get_ranges": ("_get", _ASKED),
}
OTHERWISE |= {
    (f"Async{name}Store", verb): row
    for names, rows in (
        ("Caching", _CACHING),
        ("TTL", _EXPIRING),
        ("Base64 Checksum Gzip Zstd", _DECODING),
        ("HashPrefix KeyValidating RegexRouting RegexValidating", _RENAMING),
        ("UrlEncoding UrlValidating", _RENAMING),
    )
    for name in names.split()
    for verb, row in rows.items()
}
PRESIGNS = {"presigned_get", "presigned_put"}
WITHOUT_URLS = {"AsyncFanoutStore", "AsyncMirroringStore"}
"""Wrappers that give out no URLs of one kind: those would reach one child of many."""


def exported() -> list[str]:
    """The wrappers that users can get at."""
    found = []
    for name in aioutils.__all__:
        member = getattr(aioutils, name)
        if isinstance(member, type) and issubclass(member, AsyncBaseStore):
            found.append(name)
    return found


async def _made(case: Case, kind: type[Any]) -> tuple[AsyncBaseStore, list[RecordingStore]]:
    children: list[RecordingStore] = []

    def child() -> RecordingStore:
        children.append(RecordingStore())
        return children[-1]

    store = case.make(kind, child)
    try:
        await store.put(case.key, case.value)
    except NotSupported:
        await children[0].put(case.key, case.value)
    for each in children:
        each.reached.clear()
    return store, children


@pytest.mark.parametrize("name", exported())
def test_it_is_in_the_table(name: str) -> None:
    assert name in WRAPPERS, f"{name} needs a line in WRAPPERS, to be tested with the others"


def test_the_child_notes_every_hook() -> None:
    """A hook that joins the protocol has to join these tests as well."""
    assert hooks_of_the_base() - NOT_HANDED_ON - {"_list"} == set(HOOKS) - {"_list"}


async def _fault(
    store: AsyncBaseStore, children: list[RecordingStore], case: Case, verb: str, allowed: str
) -> str | None:
    """What is wrong with a verb of a wrapper."""
    refused = None
    try:
        async with store:
            await VERBS[verb][1](store, case)
    except NotSupported as error:
        refused = error
    reached = {hook for child in children for hook in child.reached}
    if refused is not None:
        return f"{verb} asked {reached} before it refused" if reached else None
    if not reached:
        return f"{verb} asked no child"
    return None if reached <= set(allowed.split()) else f"{verb} fell back on {reached}"


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("name", [name for name in exported() if name in WRAPPERS])
async def test_a_verb_reaches_its_own_hook(name: str, verb: str) -> None:
    also, _ = OTHERWISE.get((name, verb), ("", ""))
    store, children = await _made(WRAPPERS[name], getattr(aioutils, name))
    if verb in PRESIGNS and name in WITHOUT_URLS and not hasattr(store, verb):
        return
    allowed = f"{VERBS[verb][0]} {also}"
    assert await _fault(store, children, WRAPPERS[name], verb, allowed) is None


@pytest.mark.parametrize("hook", sorted({*HOOKS} - {"_get", "_put", "_delete", "_list"}))
async def test_a_lost_hook_is_found(hook: str) -> None:
    class Losing(aioutils.AsyncIdentityStore):
        pass

    setattr(Losing, hook, getattr(AsyncBaseStore, hook))
    faults = []
    for verb, (wanted, _) in VERBS.items():
        store, children = await _made(PLAIN, Losing)
        faults.append(await _fault(store, children, PLAIN, verb, wanted))
    assert any(fault is not None and "fell back" in fault for fault in faults)


@pytest.mark.parametrize(("name", "verb"), OTHERWISE)
async def test_no_exception_is_stale(name: str, verb: str) -> None:
    case, (also, _) = WRAPPERS[name], OTHERWISE[name, verb]
    store, children = await _made(case, getattr(aioutils, name))
    assert await _fault(store, children, case, verb, VERBS[verb][0]) is not None
    reached = {hook for child in children for hook in child.reached}
    assert set(also.split()) <= reached
