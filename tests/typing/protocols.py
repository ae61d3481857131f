"""Every store class is a store to the type checkers: nothing here runs, mypy and pyright read it.

A new backend adds itself to the two lists.
"""

# What an ignore below silences must be an error to both checkers, or the ignore itself is one.
# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from storage.aiodb import AsyncSqliteStore
from storage.aiofs import AsyncFilesystemStore, AsyncHashdirStore, AsyncSafeFilesystemStore
from storage.aioutils import AsyncCachingStore, AsyncFanoutStore, AsyncMirroringStore
from storage.db import SqliteStore
from storage.fs import FilesystemStore, HashdirStore, SafeFilesystemStore
from storage.object import (
    AsyncBaseStore,
    AsyncDictStore,
    AsyncObjectStore,
    BaseStore,
    DictStore,
    ObjectStore,
    SupportsPresign,
)
from storage.s3 import AsyncBucketStore, BucketStore
from storage.utils import CachingStore, FanoutStore, MirroringStore
from storage.zip import AsyncZipStore, ZipStore
from tests.stores import BlockingStore, ForeignStore


def async_classes() -> list[type[AsyncBaseStore]]:
    return [
        AsyncBucketStore,
        AsyncCachingStore,
        AsyncDictStore,
        AsyncFanoutStore,
        AsyncFilesystemStore,
        AsyncHashdirStore,
        AsyncMirroringStore,
        AsyncSafeFilesystemStore,
        AsyncSqliteStore,
        AsyncZipStore,
    ]


def blocking_classes() -> list[type[BaseStore]]:
    return [
        BucketStore,
        CachingStore,
        DictStore,
        FanoutStore,
        FilesystemStore,
        HashdirStore,
        MirroringStore,
        SafeFilesystemStore,
        SqliteStore,
        ZipStore,
    ]


def async_protocols() -> list[type[AsyncObjectStore]]:
    return [*async_classes(), ForeignStore]


def blocking_protocols() -> list[type[ObjectStore]]:
    return [*blocking_classes(), BlockingStore]


def async_stores(
    base: AsyncBaseStore, files: AsyncFilesystemStore, bucket: AsyncBucketStore
) -> list[AsyncObjectStore]:
    return [base, files, bucket, ForeignStore()]


def blocking_stores(
    base: BaseStore, files: FilesystemStore, bucket: BucketStore
) -> list[ObjectStore]:
    return [base, files, bucket, BlockingStore()]


def a_bucket_gives_out_urls(store: AsyncBucketStore, files: AsyncFilesystemStore) -> None:
    _: SupportsPresign = store
    _ = files  # type: ignore[assignment]


def a_blocking_store_is_no_async_one(ours: DictStore, theirs: BlockingStore) -> None:
    _: AsyncObjectStore = ours  # type: ignore[assignment]
    _ = theirs  # type: ignore[assignment]


def an_async_store_is_no_blocking_one(ours: AsyncDictStore, theirs: ForeignStore) -> None:
    _: ObjectStore = ours  # type: ignore[assignment]
    _ = theirs  # type: ignore[assignment]


def a_dict_is_no_store(objects: dict[str, bytes]) -> None:
    _: ObjectStore = objects  # type: ignore[assignment]
