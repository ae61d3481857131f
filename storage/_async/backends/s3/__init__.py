"""Objects in an S3 bucket, at Amazon or on any server that speaks the same protocol.

`store` is the store itself and knows no details; its verbs stand in `hooks` (those of every store),
`transfers` and `extras`. `requests` is where all requests leave, with the `settings` of the
objects, by the way that `lanes` chooses: the fast `lane`, or a client that `clients` provides.
`reading`, `parallel`, `filling`, `whole`, `downloads`, `writing`, `multipart`, `uploads`,
`copying`, `deleting`, `listing`, `pages`, `tagging` and `presigning` each know one family of
operations; `flights` bounds what is on its way; `errors`, `attributes`, `checksums` and `keynames`
translate.
"""

from __future__ import annotations

from .store import AsyncBucketStore

__all__ = ["AsyncBucketStore"]
