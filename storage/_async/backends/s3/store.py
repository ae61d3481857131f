"""The store: how it is made, shown, pickled and given up, and its presigned URLs."""

from __future__ import annotations

import warnings
import weakref
from typing import Any, Protocol, Self, Unpack, overload

from ...._core.errors import ConfigError
from ...._core.info import Capability
from ...._core.text import Secret
from ...._core.urls import StoreURL
from .clients import Clients, InjectedClients, connecting
from .endpoints import host_of, is_amazon
from .extras import AsyncBucketExtras
from .flights import Budget
from .multipart import MIN_PART_SIZE, PART_SIZE
from .requests import Requests
from .settings import NAMES, ObjectOptions, ObjectRequests, Settings
from .urls import options_of

TIMEOUT = 60.0


class S3Client(Protocol):
    """An S3 client of aiobotocore, boto3 or botocore."""

    @property
    def meta(self) -> Any:
        """What the client knows of itself."""


class BucketOptions(ObjectOptions, total=False):
    """The options of `AsyncBucketStore`; it says what they mean."""

    prefix: str
    create: bool
    timeout: float | None
    ordered: bool | None
    exact_keys: bool | None
    lacking: Capability
    part_size: int
    lane: str


class AsyncBucketStore(AsyncBucketExtras):
    """Objects in an S3 bucket, through a client that you have; for one of its own see `connect`.

    The client and the bucket's name come in either order, or as ``client=`` and ``bucket_name=``.
    An asyncio client is used as it is on your event loop. On other loops, and from a blocking
    client (boto3's), another one is made that talks to the same server with the same credentials,
    which go on being refreshed. Your client is never closed.

    Metadata names are S3's: lower-case ASCII letters, digits, ``.``, ``_`` and ``-``. Conditional
    writes and uploads in parts leave a metadata entry ``storage-write``, by which a writer whose
    acknowledgement was lost knows its own object again; it is not shown here.

    Args:
        client: An S3 client of aiobotocore, boto3 or botocore.
        bucket_name: The bucket.
        prefix: What all keys begin with on the server; a ``/`` is added to its end if there is
            none. Nothing outside of it is ever listed or touched.
        create: The first write creates the bucket if there is none.
        timeout: Seconds that one operation may take, all its waiting included; of a stream, each
            piece of it. None: for ever.
        ordered: Whether the server lists in the order of the keys' UTF-8 bytes. None: only
            Amazon's is trusted to.
        exact_keys: Whether the server keeps every key as it is. None: only Amazon's is trusted to;
            keys that others are known to change are refused with `InvalidKey`.
        lacking: What the server cannot do though S3 can, such as ``Capability.DELETE_IF_MATCH``;
            it is then refused with `NotSupported`. There are servers that ignore a condition
            without a word.
        part_size: Bytes of the parts of large objects, at least 5 MiB; those of a stream double
            after every 1,000.
        lane: How the frequent operations are sent: ``"fast"``, signed and sent here straight from
            asyncio; ``"aiohttp"``, signed here and sent with aiohttp; ``"client"``, by the client.
            ``"auto"`` is the first that is installed. What a lane does not know, and whatever a
            client with hooks or settings of its own is to send, goes through the client anyway;
            `lanes` tells what went where. Here, signatures cover the bodies over plain HTTP to
            another machine; everywhere with ``payload_signing_enabled`` in the client's ``Config``.
        objects: What the objects are stored and asked for with; for some of them only, see
            `with_options`. ``checksum`` goes with all that is stored, for the server to compare:
            ``"crc32"`` (the default), ``"crc64nvme"``, ``"sha256"`` or None. ``storage_class``
            is the server's name of one. ``encryption`` is an `Encryption`, ``tags`` a mapping.
            With ``request_payer`` this account pays for requests to somebody else's bucket.
    """

    _parent: AsyncBucketStore | None = None
    """The store on whose connections this one lives."""

    @overload
    def __init__(
        self, client: S3Client, bucket_name: str, **options: Unpack[BucketOptions]
    ) -> None: ...
    @overload
    def __init__(
        self, bucket_name: str, client: S3Client, **options: Unpack[BucketOptions]
    ) -> None: ...
    def __init__(  # pyright: ignore[reportInconsistentOverload] - either order, or by name
        self,
        *arguments: Any,
        client: Any = None,
        bucket_name: Any = None,
        prefix: str = "",
        create: bool = False,
        timeout: float | None = TIMEOUT,
        ordered: bool | None = None,
        exact_keys: bool | None = None,
        lacking: Capability = Capability.NONE,
        part_size: int = PART_SIZE,
        lane: str = "auto",
        **objects: Unpack[ObjectOptions],
    ) -> None:
        super().__init__(timeout=timeout)
        found, name = _told_apart(*arguments, client, bucket_name)
        if part_size < MIN_PART_SIZE:
            raise ConfigError(f"part_size is at least {MIN_PART_SIZE} bytes, not {part_size}")
        self._prefix = prefix if not prefix or prefix.endswith("/") else f"{prefix}/"
        self._clients = found if isinstance(found, Clients) else InjectedClients(found)
        self._send = ObjectRequests(name, self._clients, create=create, lane=lane)
        self._send.settings = Settings(**objects)
        self._ordered, self._exact_keys, self._lacking = ordered, exact_keys, lacking
        self._part_size = part_size
        self._budget = Budget()
        self._begun: set[str] = set()
        self._recipe: tuple[Any, ...] | None = None
        self._views: weakref.WeakSet[AsyncBucketStore] = weakref.WeakSet()
        self._learn()
        # Weakly: the store must go, and warn, as soon as nobody refers to it.
        self._clients.on_endpoint = weakref.WeakMethod(self._learn)

    def _learn(self) -> None:
        """Decide what depends on whose server it is; a profile may name one later."""
        amazon = is_amazon(self._clients.endpoint)
        ordered = amazon and not self.bucket_name.endswith("--x-s3")  # S3 Express does not sort
        ordered = ordered if self._ordered is None else self._ordered
        self._exact = amazon if self._exact_keys is None else self._exact_keys
        able = ~Capability.NONE if ordered else ~Capability.ORDERED
        self.capabilities = able & ~self._lacking
        for view in self._views:
            view._learn()

    def with_options(self, **objects: Unpack[ObjectOptions]) -> AsyncBucketStore:
        """The same store, for objects with other settings.

        ``await store.with_options(storage_class="GLACIER").put(key, data)``, for example. It lives
        on the connections of this one, and needs not be closed.

        Args:
            objects: What is to be different; see the class.
        """
        view = type(self).__new__(type(self))  # not by copy, which would pickle
        vars(view).update(vars(self))
        view._parent, view._views = self, weakref.WeakSet()
        view._send = self._send.having(**objects)
        if self._recipe is not None:
            kind, bucket, options = self._recipe
            view._recipe = kind, bucket, options | view._send.settings.options()
        self._views.add(view)
        return view

    async def _teardown(self) -> None:
        if self._parent is None:
            await super()._teardown()

    @classmethod
    def connect(
        cls,
        bucket_name: str,
        *,
        prefix: str = "",
        create: bool = False,
        timeout: float | None = TIMEOUT,
        ordered: bool | None = None,
        exact_keys: bool | None = None,
        lacking: Capability = Capability.NONE,
        part_size: int = PART_SIZE,
        lane: str = "auto",
        profile: str | None = None,
        anonymous: bool = False,
        **options: Any,
    ) -> Self:
        """A store with a client of its own, made at first use on each event loop.

        Use it in ``async with``, or close it with ``aclose()``.

        Args:
            bucket_name: The bucket.
            prefix: As for the class; so are the others up to ``part_size``.
            create: The first write creates the bucket if there is none.
            timeout: Seconds that one operation may take. None: for ever.
            ordered: Whether the server lists in the order of the keys' UTF-8 bytes.
            exact_keys: Whether the server keeps every key as it is.
            lacking: What the server cannot do though S3 can.
            part_size: Bytes of the parts of a stream.
            lane: How the frequent operations are sent.
            profile: A profile of the AWS configuration files.
            anonymous: Send requests without credentials, as for public buckets.
            options: What the objects are stored with, as for the class: ``checksum``,
                ``storage_class``, ``encryption``, ``tags``, ``request_payer``. All others are
                what aiobotocore's ``create_client`` takes after the service: ``endpoint_url``,
                ``region_name``, ``aws_access_key_id``, ``aws_secret_access_key``,
                ``aws_session_token``, ``verify``, ``config`` ...

        Raises:
            MissingExtra: aiobotocore is not installed.
            ConfigError: An argument makes no sense.
        """
        for name in ("aws_secret_access_key", "aws_session_token"):
            if type(options.get(name)) is str:
                options[name] = Secret(options[name])
        own: Any = {
            "prefix": prefix, "create": create, "timeout": timeout, "ordered": ordered,
            "exact_keys": exact_keys, "lacking": lacking, "part_size": part_size,
            "lane": lane, **{name: options.pop(name) for name in NAMES & options.keys()},
        }  # fmt: skip
        if anonymous:
            options["anonymous"] = True
        clients: Any = connecting(options, profile)
        store = cls(clients, bucket_name, **own)
        store._recipe = cls, bucket_name, {**own, "profile": profile, **options}
        return store

    @classmethod
    def from_url(cls, url: StoreURL) -> Self:
        """The store of ``s3://bucket/prefix?region=...&endpoint_url=...``.

        User and password, where the URL has them, are the access key and its secret.
        """
        return cls.connect(**options_of(url))

    @property
    def bucket_name(self) -> str:
        """The bucket."""
        return self._send.bucket

    @property
    def lanes(self) -> dict[str, dict[str, int]]:
        """How many operations each lane was given, such as ``{"fast": {"get_object": 3}}``."""
        return self._send.lanes.counts()

    def _locations(self) -> tuple[tuple[str, str], ...]:
        endpoint = self._clients.endpoint
        service = host_of(endpoint) if endpoint else "amazonaws.com"
        return ((f"s3 {service}", f"{self.bucket_name}/{self._prefix}"),)

    def __repr__(self) -> str:
        prefix = f", prefix={self._prefix!r}" if self._prefix else ""
        endpoint = self._clients.endpoint
        place = f", endpoint={host_of(endpoint)!r}" if endpoint else ""
        return f"{type(self).__name__}({self.bucket_name!r}{prefix}{place})"

    def __reduce__(self) -> tuple[Any, ...]:
        if self._recipe is None:
            raise TypeError("a store with a client of yours is not picklable: use connect()")
        hidden = any(isinstance(value, Secret) for value in self._recipe[2].values())
        if hidden or self._send.settings.secret:
            raise TypeError(
                "a store that was told a secret is not picklable: keep it in the environment or "
                "in a profile"
            )
        return _connect_again, self._recipe

    def __del__(self) -> None:
        # An error in the constructor leaves none.
        send: Requests | None = self.__dict__.get("_send")
        held = send is not None and send.lanes.held and self._parent is None
        if held and not self._closed:
            warnings.warn(f"unclosed {self!r}", ResourceWarning, source=self, stacklevel=2)


def _told_apart(*arguments: Any) -> tuple[Any, str]:
    """The client and the bucket's name, in whatever order they came."""
    given = [each for each in arguments if each is not None]
    names = [each for each in given if isinstance(each, str)]
    clients = [each for each in given if not isinstance(each, str)]
    if len(names) != 1 or len(clients) != 1:
        raise TypeError("a bucket store takes one client and the name of one bucket")
    if not names[0] or ("/" in names[0] and not names[0].startswith("arn:")):
        raise ConfigError(f"no name of a bucket: {names[0]!r}")
    name: str = names[0]
    return clients[0], name


def _connect_again(cls: type[AsyncBucketStore], bucket: str, options: dict[str, Any]) -> Any:
    return cls.connect(bucket, **options)
