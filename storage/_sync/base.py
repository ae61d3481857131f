# Generated from storage/_async/base.py: do not edit, but run
# `python -m storage._tools.generate`.
# What a twin holds is never replaced, so that a subclass may know it by a narrower type:
# pyright: reportIncompatibleVariableOverride=false
"""The base class of all stores of this package: the verbs of `verbs`, and those on many keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from .._async.base import AsyncBaseStore, Items, Keys
from .._core.info import ByteRange
from .._core.values import Data
from .verbs import StoreVerbs


class BaseStore(StoreVerbs):
    """The base of all stores of this package; `ObjectStore` tells what they promise.

    Args:
        timeout: Seconds that one operation may take, all its waiting included; of a stream, each
            piece of it. None: for ever.
    """

    _async: AsyncBaseStore
    _async_type: ClassVar[type[AsyncBaseStore]] = AsyncBaseStore  # type: ignore[type-abstract]

    def get_ranges(
        self,
        key: str,
        ranges: Sequence[ByteRange | tuple[int, int | None]],
        *,
        if_match: str | None = None,
    ) -> Sequence[bytes]:
        """Several parts of one object; parts that lie close together are read as one.

        Args:
            key: The object's key.
            ranges: Each a `ByteRange` or a pair of its arguments.
            if_match: Only if the object still has this etag.

        Returns:
            The bytes of each range, in the order asked for.
        """
        return self._run(self._async.get_ranges(key, ranges, if_match=if_match))

    def get_many(self, keys: Keys, *, missing_ok: bool = False) -> Iterator[tuple[str, bytes]]:
        """Read many objects, a bounded number at once.

        Args:
            keys: Their keys; an iterable of either kind, as long as you like.
            missing_ok: Leave out what does not exist.

        Yields:
            Each key with its bytes, in the order of the keys.

        Raises:
            BulkError: After all others were given: the error of each key that failed.
        """
        return self._iterate(self._async.get_many(keys, missing_ok=missing_ok), max_batch=32)

    def put_many(self, items: Items | Mapping[str, Data]) -> int:
        """Store many objects, a bounded number at once.

        Args:
            items: A mapping, or pairs of key and value as for `put`. If it raises, what it gave
                before is stored, and the error passes through.

        Returns:
            How many were stored.

        Raises:
            BulkError: After all others were stored: the error of each key that failed.
        """
        return self._run(self._async.put_many(items))

    def delete_many(self, keys: Keys, *, missing_ok: bool = True) -> int:
        """Remove many objects, a bounded number at once.

        Args:
            keys: Their keys. If they raise, what they gave before is removed, and the error passes
                through.
            missing_ok: No error for a key without an object.

        Returns:
            How many keys are without an object now; with ``missing_ok`` whether or not they had
            one.

        Raises:
            BulkError: After all others were removed: the error of each key that failed.
        """
        return self._run(self._async.delete_many(keys, missing_ok=missing_ok))

    def clear(self, prefix: str = "") -> int:
        """Remove all objects whose keys begin with ``prefix``; returns how many.

        The whole listing is read before the first object goes, so that an error in it removes
        nothing.

        Raises:
            BulkError: After all others were removed: the error of each key that failed.
        """
        return self._run(self._async.clear(prefix))
