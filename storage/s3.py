"""Stores in S3 buckets, async and blocking."""

from ._async.backends.s3.store import AsyncBucketStore
from ._sync.backends.s3.store import BucketStore

__all__ = ["AsyncBucketStore", "BucketStore"]
