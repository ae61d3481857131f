"""What a service has to be able to do for `AsyncCloudStore`; names are keys with the prefix."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Coroutine, Hashable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from ...._core.info import Capability, ObjectInfo, WriteOptions
from .errors import Refusal
from .requests import Answer, Request, Requests

TOKEN = "storage_write"  # noqa: S105 - a name, no secret
"""The metadata entry that marks one conditional write, by which a writer knows it again when the
answer was lost."""
UNTOLD = "application/octet-stream"
"""What the services call an object whose writer told no media type; read as none."""

T = TypeVar("T")


class Step(Protocol):
    """Waits for something."""

    def __call__(self, work: Coroutine[Any, Any, T], /) -> Coroutine[Any, Any, T]:
        """What comes of it."""
        ...


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a listing."""

    objects: list[ObjectInfo]
    """Their keys are names."""
    prefixes: list[str]


class Upload(ABC):
    """An object that is sent in parts; nothing is to be seen of it before its end."""

    @abstractmethod
    async def part(self, data: bytes) -> None:
        """Send a part that is not the last one."""

    @abstractmethod
    async def finish(self, data: bytes, md5: bytes) -> ObjectInfo:
        """Send the last part, and publish the object, whose digest is told."""

    @abstractmethod
    async def abort(self) -> None:
        """Let the service forget the parts."""


class Service(ABC):
    """One bucket or container.

    Args:
        send: Sends the requests.
    """

    capabilities: Capability = ~Capability.NONE
    suffixes: bool
    """Whether it knows ranges from an object's end."""

    def __init__(self, send: Requests) -> None:
        self.send = send

    @abstractmethod
    def check(self, name: str) -> None:
        """Raise `InvalidKey` where there can be no such object."""

    @abstractmethod
    async def head(self, name: str) -> ObjectInfo:
        """What is known of an object, with its attributes."""

    @abstractmethod
    async def owner(self, name: str) -> tuple[ObjectInfo, str | None]:
        """The same, and the token of the write that stored it."""

    @abstractmethod
    def download(self, name: str, if_match: str | None, if_none_match: str | None) -> Request:
        """The request for an object's bytes; conditions are looked at once more by the caller."""

    @abstractmethod
    def told(self, name: str, answer: Answer, size: int) -> ObjectInfo:
        """What the answer to a download tells of the whole object, whose length is known."""

    attributes_told: bool = True
    """Whether that has the attributes, too."""

    @abstractmethod
    def opened(self, request: Request) -> AbstractAsyncContextManager[Answer]:
        """Send a request for an object's bytes; with errors that callers understand."""

    @abstractmethod
    async def put(
        self, name: str, data: bytes | memoryview, options: WriteOptions, token: str | None
    ) -> ObjectInfo:
        """Store an object in one request."""

    @abstractmethod
    async def upload(self, name: str, options: WriteOptions, token: str | None) -> Upload:
        """Begin an object that is sent in parts."""

    @abstractmethod
    async def delete(self, name: str, missing_ok: bool, etag: str | None) -> None:
        """Remove an object."""

    async def accept_gone(
        self, error: Refusal, name: str, missing_ok: bool, etag: str | None
    ) -> None:
        """Let a refused delete pass where the object was to be gone, and is; else raise."""
        if missing_ok and etag is None and error.status == 404 and not error.no_store:
            return
        if error.status == 412:
            await self.head(name)  # it may be gone
        raise error.meaning() from None

    @property
    @abstractmethod
    def identity(self) -> Hashable:
        """What two have in common if each may read what the other one has."""

    @abstractmethod
    async def copy(
        self, origin: Origin, target: str, options: WriteOptions, step: Step
    ) -> ObjectInfo:
        """Copy an object with its attributes; nothing is to be seen of the copy before its end.

        Args:
            origin: What is copied.
            target: The name of the copy.
            options: The conditions.
            step: Waits for a request, as long as the store's deadline allows.
        """

    @abstractmethod
    def pages(self, prefix: str, start_after: str, delimiter: str) -> AsyncGenerator[Page, None]:
        """The listing, as the service orders it; ``start_after`` is only a hint."""

    @abstractmethod
    async def create(self) -> None:
        """Make the bucket or container; it may be there by now."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What is copied.

    Args:
        service: Where it is; its `Service.identity` is that of where the copy will be.
        name: Its name there.
        etag: The only version that is meant.
    """

    service: Service
    name: str
    etag: str | None = None
