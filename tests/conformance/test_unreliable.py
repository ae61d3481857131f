"""Wrappers for stores that fail, or take long, now and then, put to the kit."""

from __future__ import annotations

from tests.conformance.wrapping import conforming

globals().update(conforming(__name__, "RetryStore", lambda kind, child: kind(child, base=0.001)))
globals().update(conforming(__name__, "HedgeStore"))
globals().update(conforming(__name__, "SingleflightStore"))
globals().update(conforming(__name__, "CircuitBreakerStore"))
