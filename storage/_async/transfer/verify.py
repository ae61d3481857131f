"""Compare two stores without changing either."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..._core.closing import closing
from ..._core.info import ObjectInfo
from ..._core.protocol import AsyncObjectStore
from ..._core.window import in_order
from ..foreign import lift
from .listing import merge, ordered_listing
from .objects import same_object
from .report import KEPT_FAILURES

IDENTICAL = "identical"


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


async def async_verify_stores(
    a: AsyncObjectStore, b: AsyncObjectStore, *, transfers: int = 32
) -> VerifyReport:
    """Compare all keys and the bytes of all objects.

    Args:
        a: A store.
        b: Another one.
        transfers: Objects compared at once.

    Returns:
        How many are identical, and which are not, and why.

    Raises:
        StoreError: A listing failed: nothing can be said.
    """
    first, second = lift(a), lift(b)

    async def compare(pair: tuple[ObjectInfo | None, ...]) -> str:
        here, there = pair
        if here is None or there is None:
            return "only in the first" if there is None else "only in the second"
        if here.size is not None and there.size is not None and here.size != there.size:
            return f"{here.size} bytes here, {there.size} there"
        same = await same_object(first, second, here, there)
        return IDENTICAL if same else "other bytes"

    report = VerifyReport()
    pairs = merge([ordered_listing(first), ordered_listing(second)])
    async with closing(in_order(compare, pairs, transfers)) as outcomes:
        async for pair, outcome in outcomes:
            if outcome == IDENTICAL:
                report.identical += 1
                continue
            report.differences += 1
            if report.differences <= KEPT_FAILURES:
                key = next(info.key for info in pair if info is not None)
                report.examples[key] = str(outcome)
    return report
