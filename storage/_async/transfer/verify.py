"""Compare two stores without changing either."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from ..._core.budget import Pace
from ..._core.errors import ConfigError
from ..._core.info import ObjectInfo
from ..._core.protocol import AsyncObjectStore
from ..base import AsyncBaseStore
from ..foreign import lift
from .comparing import judge
from .listing import DisorderError, Listing
from .merge import merge, nothing
from .objects import same_bytes
from .report import KEPT_FAILURES
from .steps import Row
from .tasks import TRANSFERS, Window

Thoroughness: TypeAlias = Literal["bytes", "checksum", "size"]


@dataclass(slots=True)
class VerifyReport:
    """What two stores have in common, and what they have not."""

    identical: int = 0
    differences: int = 0
    examples: dict[str, str] = field(default_factory=dict)
    """Of the first thousand keys that differ, in what."""

    @property
    def same(self) -> bool:
        """Whether the stores hold the same objects."""
        return not self.differences

    def count(self, key: str, difference: str | None) -> None:
        """Take what was found about a key; None: nothing."""
        if difference is None:
            self.identical += 1
            return
        self.differences += 1
        if len(self.examples) < KEPT_FAILURES:
            self.examples[key] = difference


async def async_verify_stores(
    a: AsyncObjectStore,
    b: AsyncObjectStore,
    *,
    compare: Thoroughness = "bytes",
    transfers: int = TRANSFERS,
) -> VerifyReport:
    """Compare all keys, and all objects.

    Args:
        a: A store.
        b: Another one.
        compare: ``bytes``: read everything from both ends. ``checksum``: read only where not both
            ends know a strong digest. ``size``: read nothing unless a length is not known.
        transfers: Objects compared at once.

    Returns:
        How many are identical, and which are not, and why.

    Raises:
        StoreError: A listing failed, or an object could not be read: nothing can be said.
        ConfigError: There is no such way to compare.
    """
    if compare not in get_args(Thoroughness):
        raise ConfigError(f"compare is one of {get_args(Thoroughness)}, not {compare!r}")
    return await _Verification(lift(a), lift(b), compare, transfers).run()


class _Verification:
    """One run; at most so many objects are read at once."""

    def __init__(
        self, a: AsyncBaseStore, b: AsyncBaseStore, compare: Thoroughness, transfers: int
    ) -> None:
        self._a = a
        self._b = b
        self._judge = None if compare == "bytes" else judge(compare)
        self._window = Window(Pace(transfers))
        self._report = VerifyReport()

    async def run(self) -> VerifyReport:
        listings = Listing(self._a, "the first store"), Listing(self._b, "the second store")
        while True:
            try:
                await self._pass(*listings)
            except DisorderError:
                self._report = VerifyReport()
                continue
            examples = sorted(self._report.examples.items())
            self._report.examples = dict(examples)
            return self._report

    async def _pass(self, first: Listing, second: Listing) -> None:
        try:
            async with aclosing(first):
                await first.begin()
                async with aclosing(merge(first.pages, second.pages(), nothing())) as pages:
                    async for page in pages:
                        for row in page:
                            await self._row(row)
            await self._window.drain()
        finally:
            await self._window.cancel()

    async def _row(self, row: Row) -> None:
        key, here, there, _ = row
        if here is None or there is None:
            where = "first" if there is None else "second"
            self._report.count(key, f"only in the {where}")
        elif here.size is not None and there.size is not None and here.size != there.size:
            self._report.count(key, f"{here.size} bytes here, {there.size} there")
        else:
            await self._pair(here, there)

    async def _pair(self, here: ObjectInfo, there: ObjectInfo) -> None:
        match self._judge(here, there, None) if self._judge is not None else ("compare", ""):
            case "keep", _:
                self._report.count(here.key, None)
            case "copy", reason:
                self._report.count(here.key, f"other {reason}")
            case _:
                await self._window.start(self._read(here))

    async def _read(self, info: ObjectInfo) -> None:
        try:
            same = await same_bytes(self._a, self._b, info)
        except Exception as error:
            self._report.count(info.key, str(error))
        else:
            self._report.count(info.key, None if same else "other bytes")
