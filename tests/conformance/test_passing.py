"""Wrappers that hand on what they are given, put to the kit: all at once, since each adds little.

Those that need no event loop are one stack, the others another one: where a blocking twin has one
of these in it, it runs on the loop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.conformance.wrapping import OVER, conforming, wrapper


def stack(*rest: tuple[str, tuple[Any, ...]]) -> Callable[[type[Any], Any], Any]:
    """Makes a store with some wrappers around it, the first outermost under the one tested."""

    def wrap(kind: type[Any], child: Any) -> Any:
        for name, arguments in reversed(rest):
            child = wrapper(name, not kind.__name__.startswith("Async"))(child, *arguments)
        return kind(child)

    return wrap


globals().update(
    conforming(
        __name__,
        "NotifyingStore",
        stack(("LoggingStore", ()), ("MetricsStore", ()), ("TracingStore", ())),
        title="Observing",
    )
)
globals().update(
    conforming(
        __name__,
        "IdentityStore",
        stack(
            ("TimeoutStore", (60,)),
            ("ChaosStore", (1,)),
            ("ThrottleStore", (1e12, 1e9)),
            ("LimitStore", (4, 1_000_000)),
        ),
        title="Limiting",
        over=[each for each in OVER if each != ("memory", True)],
    )
)
