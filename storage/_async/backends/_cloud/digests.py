"""Digests that do not keep the event loop waiting."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from ...._core import calls

QUICK = 64 * 1024
"""Bytes whose digest takes no longer than to ask a thread for it."""


async def fed(digest: Any, data: bytes | memoryview) -> Any:
    """A digest of `hashlib` that was given bytes."""
    if len(data) <= QUICK:
        digest.update(data)
    else:
        await calls.call(digest.update, data)
    return digest


async def md5_of(data: bytes | memoryview) -> bytes:
    """The MD5 of bytes."""
    found: bytes = (await fed(hashlib.md5(usedforsecurity=False), data)).digest()
    return found


def in_base64(digest: bytes) -> str:
    """A digest as both services write it."""
    return base64.b64encode(digest).decode()
