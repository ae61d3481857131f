"""Wrappers for stores that fail, or take long, now and then, put to the kit."""

from __future__ import annotations

from tests.conformance.wrapping import conforming

FILES = (("memory", False), ("filesystem", False))
BLOCKING = (("memory", False), ("memory", True))

globals().update(
    conforming(
        __name__,
        "RetryStore",
        lambda kind, child: kind(child, base=0.001),
        over=FILES,
        many=1_100,  # it has pages of its own
    )
)
globals().update(conforming(__name__, "CircuitBreakerStore", over=FILES))
globals().update(conforming(__name__, "HedgeStore", over=BLOCKING))
globals().update(conforming(__name__, "SingleflightStore", over=BLOCKING))
