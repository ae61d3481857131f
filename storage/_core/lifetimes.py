"""How long something lives."""

from __future__ import annotations

import math

from .errors import ConfigError


def check_ttl(ttl: float | None) -> float | None:
    """A lifetime, if it can be one; None: for ever.

    Raises:
        ConfigError: It is not a number of seconds, from 0.
    """
    number = isinstance(ttl, int | float) and not isinstance(ttl, bool)
    if ttl is not None and not (number and ttl >= 0):
        raise ConfigError(f"ttl is a number of seconds from 0 or None, not {ttl!r}")
    return None if ttl == math.inf else ttl
