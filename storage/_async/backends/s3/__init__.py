"""Objects in an S3 bucket, at Amazon or on any server that speaks the same protocol.

`store` is the store itself and knows no details; `requests` is where all requests leave, through
a client that `clients` provides; `reading`, `writing`, `multipart`, `copying`, `deleting` and
`listing` each know one family of operations; `errors`, `attributes` and `keynames` translate.
"""

from __future__ import annotations

from .store import AsyncBucketStore

__all__ = ["AsyncBucketStore"]
