"""Errors of the store by their status, and nothing of its inside in any answer."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

import pytest

from storage import object as words
from storage.asgi import StoreApp
from storage.object import AsyncDictStore, ObjectInfo, StoreError
from tests.asgi.client import Answer, Client

SECRET = "s3cr3t"


class Failing(AsyncDictStore):
    """Every operation fails alike."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def __repr__(self) -> str:
        return f"Failing(password={SECRET!r})"

    async def _get(self, key: str, options: Any) -> Any:
        raise self.error

    async def _head(self, key: str) -> Any:
        raise self.error

    async def _exists(self, key: str) -> bool:
        raise self.error

    async def _put(self, key: str, data: Any, options: Any) -> Any:
        raise self.error

    async def _delete(self, key: str, missing_ok: bool, if_match: str | None) -> None:
        raise self.error

    async def _list(self, prefix: str, start_after: str) -> AsyncIterator[ObjectInfo]:
        for error in (self.error,):
            raise error
        yield ObjectInfo("a")


STATUS = {
    "ObjectNotFound": 404,
    "InvalidKey": 400,
    "RefusedKey": 400,
    "AccessDenied": 403,
    "ObjectExists": 409,
    "PreconditionFailed": 409,
    "SourceChanged": 409,
    "NotSupported": 501,
    "StoreTimeout": 504,
    "NoSpace": 507,
    "StoreUnavailable": 503,
    "StoreClosed": 503,
    "MalformedResponse": 502,
    "CorruptStore": 502,
    "MissingExtra": 500,
    "ConfigError": 500,
    "StoreError": 500,
}


async def answers(error: Exception) -> dict[str, Answer]:
    """What every method gets."""
    client = Client(StoreApp(Failing(error), writable=True, browse=True))
    return {
        "get": await client("GET", "/a"),
        "head": await client("HEAD", "/a"),
        "put": await client("PUT", "/a", {}, b"1"),
        "delete": await client("DELETE", "/a"),
        "list": await client("GET", "/"),
        "page": await client("GET", "/", {"Accept": "text/html"}),
    }


@pytest.mark.parametrize(("name", "status"), STATUS.items())
async def test_each_error_has_its_status(name: str, status: int) -> None:
    error = getattr(words, name)(f"it says {SECRET}", store=f"Store({SECRET})", key="a")
    for verb, answer in (await answers(error)).items():
        # That there is nothing yet is what a put asks for first.
        wanted = 201 if (verb, name) == ("put", "ObjectNotFound") else status
        if verb == "put" and wanted == 201:
            assert answer.status == 404  # and then the store says so again
        else:
            assert answer.status == wanted, verb
        told = answer.body.decode() + repr(answer.fields)
        assert SECRET not in told
        assert "Store" not in told
        assert answer.headers["cache-control"] == "no-store"
        assert ("retry-after" in answer.headers) == (answer.status == 503)


@pytest.mark.parametrize(("seconds", "told"), [(None, "5"), (0.2, "1"), (-1, "0"), (1e999, "5")])
async def test_when_to_come_again(seconds: float | None, told: str) -> None:
    error = words.StoreUnavailable("busy")
    error.retry_after = seconds
    assert (await answers(error))["get"].headers["retry-after"] == told


async def test_any_other_error_is_500_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "storage.asgi"):
        answer = (await answers(ValueError(SECRET)))["get"]
    assert (answer.status, answer.body) == (500, b"500 Internal Server Error\n")
    assert caplog.records[0].exc_info is not None
    caplog.clear()
    with caplog.at_level(logging.WARNING, "storage.asgi"):
        await answers(words.StoreUnavailable("it is down"))
    assert "it is down" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.WARNING, "storage.asgi"):
        await answers(words.AccessDenied("no"))
    assert caplog.text == ""


async def test_a_store_that_is_not_there() -> None:
    found = await answers(words.StoreNotFound("no bucket"))
    assert {verb: answer.status for verb, answer in found.items()} == dict.fromkeys(found, 503)
    assert b"The store is not there yet." in found["page"].body
    assert b"id=files" in found["page"].body


class Breaking(AsyncDictStore):
    """Its streams break, or are shorter or longer than they should be."""

    sizes: Iterable[int] = (10, 10)
    breaks = True

    async def _get(self, key: str, options: Any) -> Any:
        raise AssertionError("objects are read as streams")

    def _open(self, key: str, options: Any) -> Any:
        from contextlib import asynccontextmanager

        @asynccontextmanager
        async def opened() -> AsyncIterator[words.Body]:
            async def chunks() -> AsyncIterator[bytes]:
                for size in self.sizes:
                    yield bytes(size)
                if self.breaks:
                    raise words.StoreUnavailable("the connection broke")

            yield words.Body(words.ObjectInfo(key, 30, "v1"), chunks())

        return opened()


@pytest.mark.parametrize(("sizes", "breaks"), [((10, 10), True), ((10,), False), ((50,), False)])
async def test_an_answer_that_cannot_be_ended_is_cut(
    sizes: tuple[int, ...], breaks: bool, caplog: pytest.LogCaptureFixture
) -> None:
    store = Breaking()
    store.sizes, store.breaks = sizes, breaks
    ended: list[bool] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async def watched(message: Any) -> None:
            ended.append(
                message["type"] == "http.response.body" and not message.get("more_body", False)
            )
            await send(message)

        await StoreApp(store)(scope, receive, watched)

    with pytest.raises(StoreError):
        await Client(app)("GET", "/a")
    assert ended
    assert not any(ended)


async def test_a_store_that_gives_more_than_it_said_is_not_read_on() -> None:
    store, asked = Breaking(), 0

    class Sizes:
        def __iter__(self) -> Iterator[int]:
            nonlocal asked
            while asked < 1000:
                asked += 1
                yield 20

    store.sizes = Sizes()
    with pytest.raises(StoreError):
        await Client(StoreApp(store))("GET", "/a")
    assert asked == 2


@pytest.mark.parametrize("patience", [0, -1])
def test_nobody_can_be_waited_for_less_than_no_time(patience: int) -> None:
    with pytest.raises(words.ConfigError):
        StoreApp(AsyncDictStore(), patience=patience)


async def test_an_object_that_changes_all_the_time() -> None:
    class Restless(AsyncDictStore):
        times = 0

        async def _get(self, key: str, options: Any) -> Any:
            data, _ = await super()._get(key, options)
            self.times += 1
            return data, words.ObjectInfo(key, 10 + self.times, f"v{self.times}")

    client = Client(StoreApp(Restless({"a": bytes(10)})))
    answer = await client("GET", "/a", {"Range": "bytes=-2", "If-Unmodified-Since": "x"})
    assert answer.status == 503
