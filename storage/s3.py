"""Stores in S3 buckets, async and blocking, and the values that only they speak in."""

from ._async.backends.s3.pages import ObjectVersion, UnfinishedUpload
from ._async.backends.s3.presigning import PresignedPost
from ._async.backends.s3.settings import Encryption
from ._async.backends.s3.states import UploadState
from ._async.backends.s3.store import AsyncBucketStore
from ._sync.backends.s3.store import BucketStore

__all__ = [
    "AsyncBucketStore",
    "BucketStore",
    "Encryption",
    "ObjectVersion",
    "PresignedPost",
    "UnfinishedUpload",
    "UploadState",
]
