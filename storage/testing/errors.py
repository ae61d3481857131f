"""Errors say where they happened, and travel."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import pytest

from .._async.base import AsyncBaseStore
from .._core.errors import BulkError, InvalidKey, ObjectNotFound, StoreClosed, StoreError
from .._core.info import Capability
from .attempts import tried
from .base import Conformance


class ErrorChecks(Conformance):
    """Errors."""

    async def test_errors_say_where(self, store: AsyncBaseStore) -> None:
        calls: dict[str, Callable[[], Any]] = {
            "get": lambda: store.get("a/missing key"),
            "head": lambda: store.head("a/missing key"),
            "get_range": lambda: store.get_range("a/missing key", 0, 5),
            "delete": lambda: store.delete("a/missing key"),
            "copy": lambda: store.copy("a/missing key", "target"),
            "move": lambda: store.move("a/missing key", "target"),
        }
        for operation, attempt in calls.items():
            error = await self._error(attempt)
            assert isinstance(error, ObjectNotFound)
            assert isinstance(error, KeyError)
            assert error.key == "a/missing key"
            assert error.operation
            assert error.operation in (operation, "get", "head")
            assert error.store
            for part in ("'a/missing key'", error.operation, error.store):
                assert part in str(error)

    async def test_message_is_short(self, store: AsyncBaseStore) -> None:
        error = await self._error(lambda: store.get("k" * 1_000))
        assert isinstance(error, (ObjectNotFound, InvalidKey))
        assert len(str(error)) < 1_000

    async def test_errors_travel(self, store: AsyncBaseStore) -> None:
        """Between processes: pickled and back, with all that they say."""
        await store.put("key", b"value")
        attempts: list[Callable[[], Any]] = [
            lambda: store.get("missing"),
            lambda: store.get("\0"),
            lambda: store.delete_many(["missing", "\0"], missing_ok=False),
        ]
        if Capability.IF_ABSENT in store.capabilities:
            attempts.append(lambda: store.put("key", b"", if_absent=True))
        if Capability.IF_MATCH in store.capabilities:
            attempts.append(lambda: store.put("key", b"", if_match="other"))
        if Capability.ATTRIBUTES not in store.capabilities:
            attempts.append(lambda: store.put("key", b"", content_type="a/b"))
        for attempt in attempts:
            error = await self._error(attempt)
            again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
            assert type(again) is type(error)
            assert str(again) == str(error)
            assert (again.key, again.operation) == (error.key, error.operation)
            if isinstance(error, BulkError):
                assert isinstance(again, BulkError)
                assert set(again.errors) == set(error.errors)

    async def test_secrets_stay_secret(self, store: AsyncBaseStore) -> None:
        secrets = list(self.secrets)
        if not secrets:
            pytest.skip("the store has no secrets")
        told = [repr(store), str(store)]
        for attempt in (lambda: store.get("missing"), lambda: store.get("\0")):
            error: BaseException | None = await self._error(attempt)
            while error is not None:
                told += [str(error), repr(error), repr(error.args)]
                error = error.__cause__ or error.__context__
        for secret in secrets:
            assert not [text for text in told if secret in text]

    async def test_errors_of_a_closed_store(self) -> None:
        async with self.opened() as store:
            await store.aclose()
            error = await self._error(lambda: store.get("key"))
        assert isinstance(error, StoreClosed)
        assert isinstance(error, RuntimeError)
        assert error.operation == "get"

    @staticmethod
    async def _error(attempt: Callable[[], Any]) -> StoreError:
        with pytest.raises(StoreError) as caught:
            await tried(attempt)
        return caught.value
