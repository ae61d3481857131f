# Generated from storage/_async/backends/s3/store.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""The store: how it is made, shown, pickled and given up, and its presigned URLs."""

from __future__ import annotations

from typing import Any, ClassVar, Self, Unpack, cast, overload

from ...._async.backends.s3.multipart import PART_SIZE
from ...._async.backends.s3.settings import ObjectOptions
from ...._async.backends.s3.store import TIMEOUT, AsyncBucketStore, BucketOptions, S3Client
from ...._core.info import Capability
from ...._core.urls import StoreURL
from .extras import BucketExtras


class BucketStore(BucketExtras):
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

    _async: AsyncBucketStore
    _async_type: ClassVar[type[AsyncBucketStore]] = AsyncBucketStore

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
        self._hold(
            cast("Any", self._async_type)(
                *arguments,
                client=client,
                bucket_name=bucket_name,
                prefix=prefix,
                create=create,
                timeout=timeout,
                ordered=ordered,
                exact_keys=exact_keys,
                lacking=lacking,
                part_size=part_size,
                lane=lane,
                **objects,
            )
        )

    def with_options(self, **objects: Unpack[ObjectOptions]) -> BucketStore:
        """The same store, for objects with other settings.

        ``store.with_options(storage_class="GLACIER").put(key, data)``, for example. It lives
        on the connections of this one, and needs not be closed.

        Args:
            objects: What is to be different; see the class.
        """
        return BucketStore.around(self._async.with_options(**objects))

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

        Use it in ``with``, or close it with ``close()``.

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
        return cls.around(
            cls._async_type.connect(
                bucket_name,
                prefix=prefix,
                create=create,
                timeout=timeout,
                ordered=ordered,
                exact_keys=exact_keys,
                lacking=lacking,
                part_size=part_size,
                lane=lane,
                profile=profile,
                anonymous=anonymous,
                **options,
            )
        )

    @classmethod
    def from_url(cls, url: StoreURL) -> Self:
        """The store of ``s3://bucket/prefix?region=...&endpoint_url=...``.

        User and password, where the URL has them, are the access key and its secret.
        """
        return cls.around(cls._async_type.from_url(url))

    @property
    def bucket_name(self) -> str:
        """The bucket."""
        return self._async.bucket_name

    @property
    def lanes(self) -> dict[str, dict[str, int]]:
        """How many operations each lane was given, such as ``{"fast": {"get_object": 3}}``."""
        return self._async.lanes
