"""What keeps documents: the interface, and anybody's objects that have it."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from ..._core import calls
from ..._core.errors import ConfigError, NotSupported
from .words import UID, CopyOutcome

Options = Mapping[str, Any]


class AsyncDocumentBackend(ABC):
    """What keeps documents, for `AsyncStorage`, which has checked all arguments before.

    A document without keys does not exist.
    """

    @property
    def inline(self) -> bool:
        """Whether it awaits nothing but blocking functions, so that it needs no loop."""
        return False

    @abstractmethod
    async def open(self) -> None:
        """Make it ready; does nothing where it is."""

    @abstractmethod
    async def close(self, options: Mapping[str, Any] | None = None) -> None:
        """Make durable what is not, unless the options say otherwise, and let go of everything."""

    @abstractmethod
    async def get(self, uid: UID, key: str) -> bytes | None:
        """A value, or None. Raises `DocumentNotFoundException` where there is no document."""

    @abstractmethod
    async def get_document(self, uid: UID) -> dict[str, bytes]:
        """All values by key. Raises `DocumentNotFoundException` where there are none."""

    @abstractmethod
    async def put(self, uid: UID, key: str, data: bytes) -> None:
        """Store a value."""

    @abstractmethod
    async def delete(self, uid: UID, key: str) -> None:
        """Remove a value, if there is one."""

    @abstractmethod
    async def delete_document(self, uid: UID) -> None:
        """Remove all values. Raises `DocumentNotFoundException` where there are none."""

    @abstractmethod
    async def sync(self, options: Mapping[str, Any] | None = None) -> Sequence[CopyOutcome]:
        """Make durable what is not, and bring the copies up to date."""

    @abstractmethod
    async def count(self, uid: UID) -> int:
        """How many values there are."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def option(options: Options | None, name: str, default: bool) -> bool:
    """The only option of a call.

    Raises:
        ConfigError: There are others.
    """
    if options and set(options) != {name}:
        raise ConfigError(f"the only option is {name!r}, not {', '.join(map(repr, options))}")
    return default if not options else bool(options[name])


def checked(kind: type[AsyncDocumentBackend], settings: Options) -> dict[str, Any]:
    """Settings that are the optional arguments of a class.

    Raises:
        ConfigError: It has no such arguments.
    """
    arguments = inspect.signature(kind).parameters.values()
    known = sorted(each.name for each in arguments if each.default is not each.empty)
    unknown = sorted(set(settings) - set(known))
    if unknown:
        raise ConfigError(
            f"no setting here is called {', '.join(map(repr, unknown))}; known: {', '.join(known)}"
        )
    return dict(settings)


class Foreign(AsyncDocumentBackend):
    """Somebody's object with such methods, coroutine functions or blocking ones.

    Args:
        backend: The object; what it lacks is not supported.

    Raises:
        ConfigError: It is nothing of the kind.
    """

    def __init__(self, backend: Any) -> None:
        if not callable(getattr(backend, "get", None)):
            kind = type(backend).__name__
            raise ConfigError(f"a {kind} keeps no documents; for a URL there is open_documents")
        self._backend = backend

    @property
    def inline(self) -> bool:
        """Whether its methods are blocking."""
        return not inspect.iscoroutinefunction(self._backend.get)

    def __repr__(self) -> str:
        return repr(self._backend)

    async def _do(self, name: str, *args: Any) -> Any:
        method = getattr(self._backend, name, None)
        if method is None:
            raise NotSupported(f"{type(self._backend).__name__} has no method {name!r}")
        if inspect.iscoroutinefunction(method):
            return await method(*args)
        return await calls.call_user(method, *args)

    def _given(self, name: str, options: Options | None) -> tuple[Any, ...]:
        """The options, if its method takes any."""
        method = getattr(self._backend, name, None)
        takes = method is not None and inspect.signature(method).parameters
        return (options,) if takes else ()

    async def open(self) -> None:
        await self._do("open")

    async def close(self, options: Mapping[str, Any] | None = None) -> None:
        await self._do("close", *self._given("close", options))

    async def get(self, uid: UID, key: str) -> bytes | None:
        return await self._do("get", uid, key)  # type: ignore[no-any-return]

    async def get_document(self, uid: UID) -> dict[str, bytes]:
        return await self._do("get_document", uid)  # type: ignore[no-any-return]

    async def put(self, uid: UID, key: str, data: bytes) -> None:
        await self._do("put", uid, key, data)

    async def delete(self, uid: UID, key: str) -> None:
        await self._do("delete", uid, key)

    async def delete_document(self, uid: UID) -> None:
        await self._do("delete_document", uid)

    async def sync(self, options: Mapping[str, Any] | None = None) -> Sequence[CopyOutcome]:
        return await self._do("sync", *self._given("sync", options)) or ()

    async def count(self, uid: UID) -> int:
        return await self._do("count", uid)  # type: ignore[no-any-return]
